// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICourt} from "../../src/interfaces/ICourt.sol";
import {Accusations} from "../../src/libraries/Accusations.sol";
import {Predicate} from "../../src/types/Convictions.sol";
import {Deploy} from "./Deploy.sol";
import {Fixture} from "./Fixture.sol";
import {Vm} from "./Vm.sol";

/// @dev A few cheats more.
interface CourtVm is Vm {
    struct Gas {
        uint64 gasLimit;
        uint64 gasTotalUsed;
        uint64 gasMemoryUsed;
        int64 gasRefunded;
        uint64 gasRemaining;
    }

    function lastCallGas() external view returns (Gas memory);
    function chainId(uint256 id) external;
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
}

/// @title A Rollup with the real court, and a sequencer whose receipts tests can sign
abstract contract CourtFixture is Fixture {
    CourtVm internal constant cheats = CourtVm(address(vm));
    uint256 internal constant KEY = 0xA11CE;
    uint256 internal constant OTHER_KEY = 0xB0B;

    ICourt internal court;

    event log_named_uint(string name, uint256 value);

    function setUp() public virtual override {
        super.setUp();
        placeCourt();
        bondWith(ALICE, KEY);
        bondWith(BOB, OTHER_KEY);
    }

    function placeCourt() internal {
        vm.etch(COURT, Deploy.named("Court").code);
        court = ICourt(COURT);
    }

    function bondWith(address account, uint256 key) internal {
        vm.prank(account);
        rollup.bond{value: 32 ether}(cheats.addr(key));
    }

    function exit(address account) internal {
        vm.prank(account);
        rollup.exit();
    }

    // Receipts, by docs/spec.md §10 and §7.1.

    function placeOf(uint64 epoch, uint64 first, uint8 events, uint48 clock, bytes32 digest)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(epoch, first, events, clock, digest);
    }

    function leafOf(bytes memory place) internal pure returns (bytes32) {
        return keccak256(bytes.concat(hex"03", place));
    }

    /// @dev Alone in its group.
    function signed(uint256 key, bytes memory place) internal view returns (bytes memory) {
        bytes memory signature = signatureOf(key, uint64(bytes8(place)), leafOf(place));
        return abi.encodePacked(place, uint32(0), uint32(1), uint8(0), signature);
    }

    /// @dev A receipt of three events now.
    function receiptOf(uint256 key, uint64 epoch, uint64 first) internal view returns (bytes memory) {
        return signed(key, placeOf(epoch, first, 3, nowMs(), "envelope"));
    }

    function signatureOf(uint256 key, uint64 epoch, bytes32 root) internal view returns (bytes memory) {
        bytes32 type_ = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        bytes memory domain = abi.encode(type_, keccak256("Chartroll"), keccak256("1"), block.chainid, address(rollup));
        bytes memory struct_ = abi.encode(keccak256("Receipt(uint64 epoch,bytes32 groupRoot)"), epoch, root);
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", keccak256(domain), keccak256(struct_)));
        (uint8 v, bytes32 r, bytes32 s) = cheats.sign(key, digest);
        return abi.encodePacked(r, uint256(s) | uint256(v - 27) << 255);
    }

    function nowMs() internal view returns (uint48) {
        return uint48(time() * 1000);
    }

    function accusationOfReceipt(Predicate predicate, bytes memory receipt) internal pure returns (bytes32) {
        return Accusations.hash(predicate, leafOfReceipt(receipt), 0, 0);
    }

    function leafOfReceipt(bytes memory receipt) internal pure returns (bytes32) {
        bytes memory place = new bytes(55);
        for (uint256 i = 0; i < 55; i++) {
            place[i] = receipt[i];
        }
        return leafOf(place);
    }

    /// @dev What a call to the court cost.
    function tell(string memory name) internal {
        emit log_named_uint(string.concat(name, ": gas"), cheats.lastCallGas().gasTotalUsed);
    }
}
