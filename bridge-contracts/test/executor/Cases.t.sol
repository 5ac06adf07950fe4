// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPageExecutor, PageCase} from "../../src/interfaces/IPageExecutor.sol";
import {CaseFixture} from "./CaseFixture.sol";

/// @title Every page of the golden vectors, convicted where it lies and only there
contract CasesTest is CaseFixture {
    bytes32 private constant HONEST = bytes32(IPageExecutor.PageIsHonest.selector);

    function test_a_chain_from_genesis_in_calldata() public {
        run(0, 8, false);
    }

    function test_a_chain_from_genesis_in_blobs() public {
        run(0, 8, true);
    }

    function test_every_kind_of_event_in_calldata() public {
        run(1, 16, false);
    }

    function test_every_kind_of_event_in_blobs() public {
        run(1, 16, true);
    }

    function test_forced_pages_and_org_items_in_calldata() public {
        run(2, 27, false);
    }

    function test_forced_pages_and_org_items_in_blobs() public {
        run(2, 27, true);
    }

    function test_every_invalid_page_in_calldata() public {
        run(3, 24, false);
    }

    function test_every_invalid_page_in_blobs() public {
        run(3, 24, true);
    }

    function run(uint256 chain, uint256 steps, bool isBlobs) private {
        for (uint256 step = 0; step < steps; step++) {
            uint256 masks = step % 2;
            this.check(chain, step, Way(isBlobs, masks == 0, 0));
            this.check(chain, step, Way(isBlobs, masks == 1, 1));
        }
    }

    /// @dev What is honest is not convicted; another claimed root convicts, and the accusation says the right one.
    function check(uint256 chain, uint256 place, Way memory way) external {
        Step memory step = load(chain, place);
        uint256 before = ROLLUP.convictions();
        if (step.root != 0) {
            vm.assertEq(bytes32(abi.decode(step.page, (bytes32))), step.root);
            vm.assertEq(bytes32(errorOf(posted(step, way, step.root))), HONEST);
            vm.assertEq(ROLLUP.convictions(), before);
        }
        PageCase memory given = posted(step, way, keccak256("a lie"));
        vm.assertEq(bytes32(errorOf(given)), 0);
        checkConvicted(given, step.root, before + 1);
    }

    /// @dev Nor does a claimed root of zero make an INVALID page honest.
    function test_an_invalid_page_that_claims_nothing_is_convicted() public {
        Step memory step = load(3, 9);
        PageCase memory given = posted(step, Way(false, false, 0), 0);
        vm.assertEq(bytes32(errorOf(given)), 0);
        checkConvicted(given, 0, 1);
    }

    /// @dev At any place of any blob.
    function test_a_page_of_a_later_blob_is_convicted() public {
        Step memory step = load(1, 5);
        uint16[3] memory places = [uint16(127), 130, 767];
        for (uint256 i = 0; i < 3; i++) {
            vm.assertEq(bytes32(errorOf(posted(step, Way(true, true, places[i]), step.root))), HONEST);
            PageCase memory given = posted(step, Way(true, true, places[i]), ~step.root);
            vm.assertEq(bytes32(errorOf(given)), 0);
            checkConvicted(given, step.root, i + 1);
        }
    }
}
