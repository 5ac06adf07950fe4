// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Accusations} from "../../src/libraries/Accusations.sol";
import {Conviction} from "../../src/types/Convictions.sol";
import {Header} from "../../src/types/Header.sol";
import {Batch, Standing} from "../../src/types/State.sol";
import {Fixture} from "./Fixture.sol";
import {RollupHarness} from "./RollupHarness.sol";

/// @title Everybody around a Rollup, doing what they may and what they may not, in any order
/// @dev Keeps what must never run back.
contract Handler is Fixture {
    address[4] public people = [ALICE, BOB, CAROL, ANYONE];
    uint64 public slotSeen;
    uint64 public confirmedSeen;
    uint64 public epochSeen;
    uint256 public posts;
    string public fault;
    /// @dev Batches that were convicted, and the accusations that held.
    bytes32[] public guilty;
    uint64[] public guiltyNumbers;
    bytes32[] public accusations;

    constructor(RollupHarness given) {
        rollup = given;
        for (uint256 i = 0; i < people.length; i++) {
            vm.deal(people[i], 10_000 ether);
        }
    }

    modifier watched() {
        _;
        if (rollup.slot() < slotSeen) fault = "a slot came back";
        if (rollup.confirmed() < confirmedSeen) fault = "a confirmed batch was taken back";
        if (rollup.epoch() < epochSeen) fault = "an epoch came back";
        (slotSeen, confirmedSeen, epochSeen) = (rollup.slot(), rollup.confirmed(), rollup.epoch());
    }

    /// @dev The Rollup is given; Forge would call the fixture's as a step.
    function setUp() public override {}

    function wait(uint256 span) external watched {
        pass(bound(span, 1, 60 hours));
    }

    function bondSome(uint256 who) external watched {
        vm.prank(person(who));
        try rollup.bond{value: 32 ether}(RECEIPTS) {} catch {}
    }

    function exit(uint256 who) external watched {
        if (who % 5 != 0) return;
        vm.prank(person(who >> 8));
        try rollup.exit() {} catch {}
    }

    function withdraw(uint256 who) external watched {
        vm.prank(person(who));
        try rollup.withdraw() {} catch {}
    }

    function depose() external watched {
        try rollup.depose() {} catch {}
    }

    function enqueueSome(uint256 count, uint256 extra) external watched {
        for (uint256 i = 0; i < bound(count, 1, 40); i++) {
            if (rollup.forcedFee() > 1 ether) return;
            uint256 paid = rollup.forcedFee() + bound(extra, 0, 1 ether);
            vm.prank(ANYONE);
            rollup.enqueue{value: paid}(envelope(120));
        }
    }

    function collect(uint256 who) external watched {
        vm.prank(person(who));
        try rollup.collect() {} catch {}
    }

    /// @dev By whoever is in office, with a clock and a cursor that may be wrong.
    function postSome(uint256 clock, uint256 cursor) external watched {
        post(clock, cursor);
        post(clock >> 16, cursor >> 16);
    }

    function post(uint256 clock, uint256 cursor) private {
        address poster = rollup.sequencer();
        // Nobody is in office: no transaction has this sender.
        if (poster == address(0)) return;
        (uint64 number,) = rollup.head();
        Batch memory parent = rollup.batchAt(number);
        Header memory header = next();
        if (clock % 4 == 0) header.clock -= uint48(bound(clock, 0, 30 hours * 1000));
        if (cursor % 2 == 0) header.cursor = uint64(bound(cursor >> 8, parent.cursor, rollup.queueLength() + 1));
        vm.prank(poster, poster);
        try rollup.postCalldata(header, pages(1)) {
            posts++;
            Batch memory batch = rollup.batchAt(number + 1);
            bool isAhead = batch.cursor >= parent.cursor && batch.clock >= parent.clock
                && batch.nextSequence >= parent.nextSequence && batch.time >= parent.time;
            if (!isAhead) fault = "a batch ran back";
            if (batch.cursor > rollup.queueLength()) fault = "a cursor ran past the queue";
        } catch {}
    }

    function confirm(uint256 back) external watched {
        (uint64 number,) = rollup.head();
        try rollup.confirm(number - uint64(bound(back, 0, number))) {
            if (rollup.isPaused()) fault = "a batch was confirmed in a pause";
        } catch {}
    }

    function pauseOrGoOn(bool stop) external watched {
        vm.prank(OWNER);
        if (stop) {
            try rollup.pause() {} catch {}
        } else {
            try rollup.unpause() {} catch {}
        }
    }

    /// @dev Seldom, or nothing would ever be final. A commitment as old as a block, or of this block, or none.
    function convict(uint256 seed, uint256 who) external watched {
        (uint64 number,) = rollup.head();
        if (seed % 8 != 0 || number == 0) return;
        uint64 first = uint64(bound(seed >> 8, number > 6 ? number - 6 : 1, number));
        (bytes32 contentHash, address poster,) = rollup.batches(first);
        bytes32 accusation_ = accusationOf(first, seed >> 64);
        prepare(accusation_, who);
        uint64 epochBefore = rollup.epoch();
        bool isEmptied = rollup.firstInLine() == address(0) && (rollup.sequencer() == poster || !isManned());
        vm.prank(EXECUTOR);
        try rollup.convictBatch(first, accusation_, person(who), SALT) {
            guilty.push(contentHash);
            guiltyNumbers.push(first);
            accusations.push(accusation_);
            (uint64 head,) = rollup.head();
            if (head != first - 1) fault = "a rollback did not end before the batch";
            if (rollup.epoch() != epochBefore + (isEmptied ? 0 : 1)) fault = "the epoch did not rise with a rollback";
            if (!rollup.isSettled(epochBefore)) fault = "a rollback did not settle its epoch";
        } catch {}
    }

    /// @dev Of a receipt, for anybody who ever bonded; some accusations come twice.
    function convictOfReceipt(uint256 seed, uint256 who) external watched {
        if (seed % 8 != 0) return;
        bytes32 accusation_ = accusation(bytes32(seed >> 8 & 0xff));
        (uint64 number,) = rollup.head();
        prepare(accusation_, who);
        vm.prank(COURT);
        try rollup.convictSequencer(person(seed >> 16), accusation_, person(who), SALT) {
            accusations.push(accusation_);
            (uint64 after_,) = rollup.head();
            if (after_ != number) fault = "a broken receipt took a batch back";
        } catch {}
    }

    function prepare(bytes32 accusation_, uint256 who) private {
        uint256 kind = who >> 8 & 3;
        if (kind == 0) return;
        bytes32 commitment = Accusations.commitment(person(who ^ (kind == 3 ? 1 : 0)), accusation_, SALT);
        try rollup.commit(commitment) {} catch {}
        if (kind > 1) nextBlock();
    }

    function claim(uint256 which, uint256 who) external watched {
        if (accusations.length == 0) return;
        vm.prank(person(who));
        try rollup.claim(accusations[which % accusations.length], SALT) {} catch {}
    }

    function settle(uint256 which) external watched {
        if (accusations.length == 0) return;
        try rollup.settle(accusations[which % accusations.length]) {} catch {}
    }

    function burnRest(uint256 who) external watched {
        try rollup.burnRest(person(who)) {} catch {}
    }

    /// @dev A batch that was convicted stands at or below the head again.
    function isGuiltyInChain() external view returns (bool) {
        for (uint256 i = 0; i < guilty.length; i++) {
            (bytes32 contentHash,,) = rollup.batches(guiltyNumbers[i]);
            if (contentHash == guilty[i]) return true;
        }
        return false;
    }

    function held() external view returns (uint256 sum) {
        for (uint256 i = 0; i < accusations.length; i++) {
            Conviction memory conviction = rollup.convictions(accusations[i]);
            if (conviction.isHeld) sum += conviction.reward;
        }
    }

    /// @dev What convictions paid or hold of one bond; the convicted never bond again.
    function rewardsOf(uint256 who) external view returns (uint256 sum) {
        for (uint256 i = 0; i < accusations.length; i++) {
            Conviction memory conviction = rollup.convictions(accusations[i]);
            if (conviction.account == people[who]) sum += conviction.reward;
        }
    }

    function isManned() private view returns (bool) {
        return rollup.sequencer() != address(0);
    }

    function inOffice() external view returns (uint256 count) {
        for (uint256 i = 0; i < people.length; i++) {
            if (rollup.sequencers(people[i]).standing == Standing.InOffice) count++;
        }
    }

    function bondsOfAll() external view returns (uint256 sum) {
        for (uint256 i = 0; i < people.length; i++) {
            sum += rollup.sequencers(people[i]).bond;
        }
    }

    function owedToAll() external view returns (uint256 sum) {
        for (uint256 i = 0; i < people.length; i++) {
            sum += rollup.owed(people[i]);
        }
    }

    function person(uint256 who) private view returns (address) {
        return people[who % people.length];
    }
}
