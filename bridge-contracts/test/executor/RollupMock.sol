// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Epoch} from "../../src/types/State.sol";

/// @title What the page executor asks of a rollup, and what it says to it
contract RollupMock {
    struct Word {
        bytes32 subject;
        uint64 number;
        address account;
        address challenger;
        bytes32 salt;
        address judge;
    }

    mapping(uint64 => bytes32) private _batches;
    mapping(uint64 => bytes32) private _periods;
    mapping(uint64 => bytes32) private _items;
    mapping(uint64 => Epoch) private _epochs;
    Word private _word;
    uint256 public convictions;

    function post(uint64 number, bytes32 contentHash) external {
        _batches[number] = contentHash;
    }

    function register(uint64 number, bytes32 root) external {
        _periods[number] = root;
    }

    function enqueue(uint64 index, bytes32 hash) external {
        _items[index] = hash;
    }

    function start(uint64 number, address sequencer, address receiptKey) external {
        _epochs[number].sequencer = sequencer;
        _epochs[number].receiptKey = receiptKey;
    }

    function batches(uint64 number) external view returns (bytes32, address, uint64) {
        return (_batches[number], address(1), 1);
    }

    function period(uint64 number) external view returns (bytes32, uint64, bool) {
        return (_periods[number], 1, false);
    }

    function items(uint64 index) external view returns (bytes32, uint64) {
        return (_items[index], 1);
    }

    function epochs(uint64 number) external view returns (Epoch memory) {
        return _epochs[number];
    }

    function convictBatch(uint64 number, bytes32 accusation, address challenger, bytes32 salt) external {
        _word = Word(accusation, number, address(0), challenger, salt, msg.sender);
        convictions++;
    }

    function convictSequencer(address account, bytes32 accusation, address challenger, bytes32 salt) external {
        _word = Word(accusation, 0, account, challenger, salt, msg.sender);
        convictions++;
    }

    function last() external view returns (Word memory) {
        return _word;
    }
}
