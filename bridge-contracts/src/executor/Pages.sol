// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPageExecutor} from "../interfaces/IPageExecutor.sol";
import {Items} from "../libraries/Items.sol";
import {Admission} from "./Admission.sol";
import {Codes} from "./Codes.sol";
import {Framing} from "./Framing.sol";
import {Log} from "./Log.sol";
import {Memory} from "./Memory.sol";
import {Names} from "./Names.sol";
import {OrgItems} from "./OrgItems.sol";
import {Rows} from "./Rows.sol";
import {Run} from "./Run.sol";
import {Signing} from "./Signing.sol";
import {Tree} from "./Tree.sol";
import {Witnesses} from "./Witnesses.sol";

/// @title A page applied
/// @dev Source: docs/spec.md §9.1, §9.2.
library Pages {
    uint256 private constant CLOCK_AT = 32;
    uint256 private constant KIND_AT = 38;
    uint256 private constant NORMAL = 1;
    /// @dev Type, time and body.
    uint256 private constant ITEM_BYTES = 960;
    uint256 private constant ITEM_BODY_AT = 7;

    /// @dev Takes page and witness in. The rows are worked on before it is known that they are those of a root: whoever
    /// begins must finish, and answer nothing before.
    function begin(Run memory run, address rollup, uint256 chainId, bytes32[31] memory page, bytes calldata witness)
        internal
        pure
    {
        uint256 ptr;
        assembly ("memory-safe") {
            ptr := page
        }
        unchecked {
            run.page = ptr;
            run.clock = Memory.u48(ptr + CLOCK_AT);
            run.separator = Signing.separator(chainId, rollup);
            Witnesses.decode(run, witness);
            require(run.meta != 0, IPageExecutor.MissingRow(0));
            run.sequence = Rows.nextSequence(run.meta);
            run.cursor = Memory.u64(run.meta + Rows.META_CURSOR);
        }
    }

    /// @dev What the page leads to from `preRoot`, to which the witness must lead. See `IPageExecutor.execute`.
    function finish(Run memory run, bytes32 preRoot, bytes calldata item)
        internal
        view
        returns (IPageExecutor.Outcome memory outcome)
    {
        _take(run, item, outcome);
        require(run.asked == run.hints, IPageExecutor.WrongHint());
        (bytes32 before, bytes32 after_) = Tree.roots(run);
        require(before == preRoot, IPageExecutor.WrongRoot(before));
        if (outcome.invalid == IPageExecutor.Invalid.None) outcome.root = after_;
    }

    /// @dev Whether the page must be an item of the queue, of whatever type.
    function isForced(Run memory run) internal pure returns (bool) {
        unchecked {
            uint256 kind = Memory.u8(run.page + KIND_AT);
            return kind == Items.ENVELOPE || kind == Items.ORG;
        }
    }

    function _take(Run memory run, bytes calldata item, IPageExecutor.Outcome memory outcome) private view {
        unchecked {
            uint256 meta = run.meta;
            uint256 kind = Memory.u8(run.page + KIND_AT);
            (bool isItems, uint256 itemTime) = _compare(run, item, kind);
            if (kind - 1 > 2) {
                outcome.invalid = IPageExecutor.Invalid.Kind;
            } else if (run.clock < Memory.u48(meta + Rows.META_CLOCK)) {
                outcome.invalid = IPageExecutor.Invalid.Clock;
            } else if (kind == NORMAL) {
                _takeEnvelopes(run, outcome);
            } else if (!isItems || run.clock < itemTime) {
                outcome.invalid = IPageExecutor.Invalid.Queue;
            } else {
                if (kind == Items.ENVELOPE) _takeForced(run, outcome);
                else outcome.code = _code(OrgItems.act(run));
                Memory.put64(meta + Rows.META_CURSOR, (run.cursor + 1) & type(uint64).max);
            }
            if (outcome.invalid != IPageExecutor.Invalid.None) return;
            Memory.put48(meta + Rows.META_CLOCK, run.clock);
            Log.append(run);
        }
    }

    /// @dev Whether the page is of the item's kind and has its body; the item's time. No item is none of them.
    function _compare(Run memory run, bytes calldata item, uint256 kind) private pure returns (bool, uint256) {
        unchecked {
            if (item.length == 0) return (false, 0);
            uint256 type_ = item.length == ITEM_BYTES ? uint8(item[0]) : 0;
            require(type_ == Items.ENVELOPE || type_ == Items.ORG, IPageExecutor.NotAnItem());
            uint256 body = Memory.hash(run.page + Framing.BODY_AT, Items.BODY_BYTES);
            return (type_ == kind && keccak256(item[ITEM_BODY_AT:]) == bytes32(body), uint48(bytes6(item[1:7])));
        }
    }

    function _takeEnvelopes(Run memory run, IPageExecutor.Outcome memory outcome) private view {
        unchecked {
            Framing.begin(run);
            uint256 ptr = run.page + Framing.BODY_AT;
            uint256 end = run.page + Framing.PAGE_BYTES;
            uint256 refusal;
            while (ptr + 4 <= end && Memory.u32(ptr) != 0) {
                uint256 place = (run.envelopesEnd - run.envelopes) >> 5;
                (ptr, refusal) = Framing.envelope(run, ptr);
                if (refusal != 0) return _refuse(outcome, IPageExecutor.Invalid.Framing, place, refusal);
            }
            if (!Memory.isZero(ptr, end)) {
                outcome.invalid = IPageExecutor.Invalid.Padding;
            } else if (Names.checkBudget(run, run.envelopes, run.envelopesEnd) != 0) {
                outcome.invalid = IPageExecutor.Invalid.Budget;
            } else {
                for (ptr = run.envelopes; ptr < run.envelopesEnd; ptr += 32) {
                    refusal = Admission.admit(run, Memory.word(ptr));
                    if (refusal == 0) continue;
                    return _refuse(outcome, IPageExecutor.Invalid.Refused, (ptr - run.envelopes) >> 5, refusal);
                }
            }
        }
    }

    /// @dev A refused envelope changes nothing, and is left out of the log.
    function _takeForced(Run memory run, IPageExecutor.Outcome memory outcome) private view {
        unchecked {
            Framing.begin(run);
            (uint256 ptr, uint256 refusal) = Framing.envelope(run, run.page + Framing.BODY_AT);
            if (refusal == 0 && !Memory.isZero(ptr, run.page + Framing.PAGE_BYTES)) refusal = Codes.TRAILING;
            if (refusal == 0) refusal = Names.checkBudget(run, run.envelopes, run.envelopesEnd);
            if (refusal == 0) refusal = Admission.admit(run, Memory.word(run.envelopes));
            if (refusal == 0) return;
            Witnesses.restore(run);
            run.envelopesEnd = run.envelopes;
            _refuse(outcome, IPageExecutor.Invalid.None, 0, refusal);
        }
    }

    function _refuse(
        IPageExecutor.Outcome memory outcome,
        IPageExecutor.Invalid invalid,
        uint256 place,
        uint256 refusal
    ) private pure {
        outcome.invalid = invalid;
        // forge-lint: disable-start(unsafe-typecast): at most 8 envelopes of at most 255 events; codes are bytes.
        outcome.envelope = uint8(place);
        outcome.code = uint8(refusal);
        outcome.eventNumber = uint16(refusal >> 8);
        // forge-lint: disable-end(unsafe-typecast)
    }

    function _code(uint256 skip) private pure returns (uint8) {
        // forge-lint: disable-next-line(unsafe-typecast): there are four.
        return uint8(skip);
    }
}
