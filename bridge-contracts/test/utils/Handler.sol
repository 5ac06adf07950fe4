// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

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
    uint256 public convictions;
    string public fault;

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
        try rollup.confirm(number - uint64(bound(back, 0, number))) {} catch {}
    }

    function pauseOrGoOn(bool stop) external watched {
        vm.prank(OWNER);
        if (stop) {
            try rollup.pause() {} catch {}
        } else {
            try rollup.unpause() {} catch {}
        }
    }

    /// @dev Seldom, or nothing would ever be final.
    function convict(uint256 seed) external watched {
        (uint64 number,) = rollup.head();
        if (seed % 8 != 0 || number == 0) return;
        uint64 guilty = uint64(bound(seed >> 8, 1, number));
        try rollup.convict(guilty) {
            convictions++;
        } catch {}
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
