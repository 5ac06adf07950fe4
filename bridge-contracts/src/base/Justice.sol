// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Accusations} from "../libraries/Accusations.sol";
import {Conviction} from "../types/Convictions.sol";
import {Batch, Sequencer, Standing} from "../types/State.sol";
import {Office} from "./Office.sol";

/// @title Convictions: who is punished, who is rewarded, what is taken back
/// @dev The judges, `EXECUTOR` and `COURT`, find out whether an accusation holds; here it takes effect. Rewards are a
/// tenth of a bond each, and at most half of one together: whoever accuses itself burns the other half. A pause stops
/// none of it, and lengthens no time but that of `burnRest`.
abstract contract Justice is Office {
    /// @dev A reward, as a part of a whole bond.
    uint128 private constant REWARD_PART = 10;
    /// @dev Rewards out of one bond. With it burns at least half.
    uint8 private constant REWARDS_MAX = 5;
    /// @dev In which a challenger who had committed finds out that another was quicker.
    uint48 private constant CLAIM_DELAY = 1 days;

    mapping(bytes32 commitment => uint64) internal _commitments;
    mapping(bytes32 accusation => Conviction) internal _convictions;

    modifier onlyJudge() {
        require(msg.sender == EXECUTOR || msg.sender == COURT, NotJudge(msg.sender));
        _;
    }

    function _commit(bytes32 commitment) internal {
        require(_commitments[commitment] == 0, AlreadyCommitted(commitment));
        _commitments[commitment] = uint64(block.number);
        emit Committed(commitment, msg.sender);
    }

    /// @dev The poster pays, in office or not; what comes after the batch is taken back with it, whoever posted it.
    function _convictBatch(uint64 number, bytes32 accusation, address challenger, bytes32 salt) internal {
        uint64 last = _headNumber;
        _dropFrom(number);
        Batch storage batch = _batches[number];
        emit BatchesDropped(number, last, batch.contentHash);
        _noteRollback(batch.epoch);
        address poster = batch.poster;
        bool isInOffice = poster == _inOffice;
        _convict(poster, accusation, challenger, salt);
        if (!isInOffice) _renewEpoch();
    }

    function _convictSequencer(address account, bytes32 accusation, address challenger, bytes32 salt) internal {
        require(_sequencers[account].bond > 0, NothingToLose(account));
        _convict(account, accusation, challenger, salt);
    }

    /// @dev The first of the sender's commitments that is older than the conviction is enough.
    function _claim(bytes32 accusation, bytes32 salt) internal {
        Conviction storage conviction = _convictions[accusation];
        require(conviction.isHeld, NothingHeld(accusation));
        uint256 until = uint256(conviction.time) + CLAIM_DELAY;
        require(block.timestamp < until, ClaimOver(until));
        bytes32 commitment = Accusations.commitment(msg.sender, accusation, salt);
        require(_isOlder(commitment, conviction.blockNumber), NotCommitted(commitment));
        _release(accusation, msg.sender);
    }

    function _settle(bytes32 accusation) internal {
        Conviction storage conviction = _convictions[accusation];
        require(conviction.isHeld, NothingHeld(accusation));
        uint256 until = uint256(conviction.time) + CLAIM_DELAY;
        require(block.timestamp >= until, ClaimOpen(until));
        _release(accusation, conviction.challenger);
    }

    /// @dev Every window of its batches is over by then, and with each of them what it could still be convicted of.
    function _burnRest(address account) internal {
        Sequencer memory convicted = _sequencers[account];
        require(convicted.standing == Standing.Convicted, WrongStanding(convicted.standing));
        require(convicted.bond > 0, NothingToLose(account));
        uint256 until = _due(convicted.leftAt, convicted.pausedBefore, EXIT_DELAY);
        require(block.timestamp >= until, Locked(until));
        _burn(_slash(account, convicted.bond));
        emit RestBurnt(account, convicted.bond);
    }

    /// @dev Out of line or office for ever. The reward is owed, or held for whoever had committed.
    function _convict(address account, bytes32 accusation, address challenger, bytes32 salt) private {
        require(_convictions[accusation].time == 0, AlreadyConvicted(accusation));
        uint128 reward = _takeReward(account);
        bool isCommitted = _isOlder(Accusations.commitment(challenger, accusation, salt), block.number);
        _convictions[accusation] = Conviction({
            account: account,
            time: uint48(block.timestamp),
            blockNumber: uint40(block.number),
            isHeld: !isCommitted && reward > 0,
            challenger: challenger,
            // forge-lint: disable-next-line(unsafe-typecast): a bond is below 2^96.
            reward: uint96(reward)
        });
        if (isCommitted) _owe(challenger, reward);
        else _hold(reward);
        emit Convicted(accusation, account, challenger, reward, isCommitted);
        _turnOut(account, Standing.Convicted);
    }

    function _takeReward(address account) private returns (uint128 reward) {
        Sequencer storage guilty = _sequencers[account];
        if (guilty.rewards == REWARDS_MAX) return 0;
        reward = BOND / REWARD_PART;
        if (reward > guilty.bond) reward = guilty.bond;
        guilty.rewards++;
        _slash(account, reward);
    }

    function _release(bytes32 accusation, address account) private {
        Conviction storage conviction = _convictions[accusation];
        conviction.isHeld = false;
        uint256 reward = conviction.reward;
        _giveHeld(account, reward);
        emit RewardClaimed(accusation, account, reward);
    }

    function _isOlder(bytes32 commitment, uint256 blockNumber) private view returns (bool) {
        uint64 made = _commitments[commitment];
        return made != 0 && made < blockNumber;
    }
}
