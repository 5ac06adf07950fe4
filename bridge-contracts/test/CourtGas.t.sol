// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Accusations} from "../src/libraries/Accusations.sol";
import {Predicate} from "../src/types/Convictions.sol";
import {HeaderCases} from "./utils/HeaderCases.sol";

/// @title What convictions before the court cost, and what comes with them
/// @dev As in `Gas.t.sol`: of the call alone, on storage nobody has touched. Committed to, as by who wants the reward.
contract CourtGasTest is HeaderCases {
    function snapshot(string memory name) private {
        vm.snapshotGasLastCall("Court", name);
        tell(name);
    }

    function cool() private {
        nextBlock();
        vm.cool(address(rollup));
        vm.cool(COURT);
        vm.prank(HOSPITAL);
    }

    function commitTo(bytes32 accusation_) private {
        commit(HOSPITAL, accusation_);
        cool();
    }

    function convictHeader(uint8 mode, uint16 count, string memory name) private {
        Case memory lie = lyingCase(mode, count, 3);
        postCase(lie);
        bytes32 contentHash = keccak256(abi.encode(lie.header));
        commitTo(Accusations.hash(Predicate.Header, contentHash, count - 1, lie.root));
        court.convictHeader(rollup, lie.header, lie.last, lie.meta, SALT);
        snapshot(name);
    }

    function test_gas_of_headers() public {
        convictHeader(0, 131, "convictHeader, calldata, pages: 131");
        convictHeader(1, 768, "convictHeader, blobs: 6");
    }

    function test_gas_of_receipts() public {
        bytes memory receipt = receiptOf(KEY, 1, 0);
        pass(25 hours);
        commitTo(accusationOfReceipt(Predicate.Late, receipt));
        court.convictLate(rollup, receipt, SALT);
        snapshot("convictLate");
        receipt = receiptOf(KEY, 1, 1);
        commitTo(accusationOfReceipt(Predicate.LeftBehind, receipt));
        court.convictLeftBehind(rollup, receipt, SALT);
        snapshot("convictLeftBehind, convicted before");
        receipt = signed(OTHER_KEY, placeOf(2, 0, 3, nowMs() + 61_000, "one"));
        commitTo(accusationOfReceipt(Predicate.Future, receipt));
        court.convictFuture(rollup, receipt, SALT);
        snapshot("convictFuture, empty line");
    }

    function test_gas_of_equivocation() public {
        bytes memory one = receiptOf(KEY, 1, 0);
        bytes memory two = receiptOf(KEY, 1, 1);
        (bytes32 a, bytes32 b) = (leafOfReceipt(one), leafOfReceipt(two));
        if (a > b) (a, b) = (b, a);
        commitTo(Accusations.hash(Predicate.Equivocation, a, 0, b));
        court.convictEquivocation(rollup, one, two, SALT);
        snapshot("convictEquivocation");
    }

    function test_gas_of_rewards() public {
        bytes32 commitment = Accusations.commitment(HOSPITAL, accusation("leaf"), SALT);
        cool();
        rollup.commit(commitment);
        snapshot("commit");
        nextBlock();
        convictSequencer(ALICE, accusation("leaf"), ANYONE);
        cool();
        rollup.claim(accusation("leaf"), SALT);
        snapshot("claim");
        convictSequencer(ALICE, accusation("another"), ANYONE);
        pass(14 days);
        cool();
        rollup.settle(accusation("another"));
        snapshot("settle");
        cool();
        rollup.burnRest(ALICE);
        snapshot("burnRest");
    }
}
