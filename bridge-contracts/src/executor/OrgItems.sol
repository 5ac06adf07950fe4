// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Items} from "../libraries/Items.sol";
import {Codes} from "./Codes.sol";
import {Framing} from "./Framing.sol";
import {Memory} from "./Memory.sol";
import {Rights} from "./Rights.sol";
import {Rows} from "./Rows.sol";
import {Run} from "./Run.sol";
import {Witnesses} from "./Witnesses.sol";

/// @title Org items: registration, status, another admin
/// @dev Source: docs/spec.md §4.3. Everything is checked before a row is changed.
library OrgItems {
    uint256 private constant MALFORMED = 1;
    uint256 private constant NO_ORG = 2;
    uint256 private constant NOT_ITS_ACCOUNT = 3;
    uint256 private constant FULL = 4;

    /// @dev Acts on the body of a page of kind 3; 0, or the number of the skip.
    function act(Run memory run) internal pure returns (uint256) {
        unchecked {
            uint256 body = run.page + Framing.BODY_AT;
            uint256 op = Memory.u8(body++);
            if (op == Items.OP_REGISTER) return _register(run, body);
            if (op == Items.OP_SET_STATUS) return _setStatus(run, body);
            if (op == Items.OP_REPLACE_ADMIN) return _replaceAdmin(run, body);
            return MALFORMED;
        }
    }

    function _register(Run memory run, uint256 ptr) private pure returns (uint256) {
        unchecked {
            // Account, policy, name and pseudonym key stand before the admin's key.
            if (!Rows.isCode(ptr + 20, 2) || !_isAdmin(run, ptr + 85)) return MALFORMED;
            uint256 meta = run.meta;
            if (Rows.countOf(meta, Codes.ORGS) == Codes.ROWS_MAX) return FULL;
            if (Rows.countOf(meta, Codes.PRINCIPALS) == Codes.ROWS_MAX) return FULL;
            uint256 number = Rows.takeNumber(meta, Codes.ORGS);
            uint256 admin = _addAdmin(run, number, ptr + 85);
            uint256 org = Witnesses.find(run, Codes.ORGS, number);
            Witnesses.setLength(org, Rows.ORG_BYTES);
            Memory.copy(org, ptr, 20);
            Memory.put32(org + Rows.ORG_ADMIN, admin);
            Memory.put8(org + Rows.ORG_POLICY, Memory.u8(ptr + 20));
            Memory.put8(org + Rows.ORG_STATUS, Codes.ACTIVE);
            Memory.copy(org + Rows.ORG_NAME, ptr + 21, 64);
            return 0;
        }
    }

    function _setStatus(Run memory run, uint256 ptr) private pure returns (uint256) {
        unchecked {
            bool isItem = Rows.isCode(ptr + 4, 2) && Rows.isCode(ptr + 5, 2) && _isEnd(run, ptr + 6);
            if (!isItem) return MALFORMED;
            if (!_exists(run, Memory.u32(ptr))) return NO_ORG;
            uint256 org = Witnesses.get(run, Codes.ORGS, Memory.u32(ptr));
            Memory.put8(org + Rows.ORG_STATUS, Memory.u8(ptr + 4));
            Memory.put8(org + Rows.ORG_POLICY, Memory.u8(ptr + 5));
            return 0;
        }
    }

    function _replaceAdmin(Run memory run, uint256 ptr) private pure returns (uint256) {
        unchecked {
            // Account and org stand before the admin's key.
            if (!_isAdmin(run, ptr + 24)) return MALFORMED;
            uint256 number = Memory.u32(ptr + 20);
            if (!_exists(run, number)) return NO_ORG;
            uint256 org = Witnesses.get(run, Codes.ORGS, number);
            if (Memory.word(org) >> 96 != Memory.word(ptr) >> 96) return NOT_ITS_ACCOUNT;
            if (Rows.countOf(run.meta, Codes.PRINCIPALS) == Codes.ROWS_MAX) return FULL;
            uint256 admin = _addAdmin(run, number, ptr + 24);
            uint256 old = Witnesses.get(run, Codes.PRINCIPALS, Memory.u32(org + Rows.ORG_ADMIN));
            if (Memory.u8(old + Rows.PRINCIPAL_STATUS) == Codes.ACTIVE) Rights.revoke(old, run.clock);
            Memory.put32(org + Rows.ORG_ADMIN, admin);
            return 0;
        }
    }

    function _exists(Run memory run, uint256 number) private pure returns (bool) {
        return number != 0 && number < Rows.countOf(run.meta, Codes.ORGS);
    }

    /// @dev A key that is one and valid, sealing key and tag, then zeros.
    function _isAdmin(Run memory run, uint256 ptr) private pure returns (bool) {
        unchecked {
            uint256 kind = Memory.u8(ptr);
            bool isKey = kind != 0 && kind <= Codes.P256 && Framing.isKey(kind, ptr + 1);
            return isKey && _isEnd(run, ptr + 65 + Rows.keyBytes(kind));
        }
    }

    function _isEnd(Run memory run, uint256 ptr) private pure returns (bool) {
        unchecked {
            return Memory.isZero(ptr, run.page + Framing.PAGE_BYTES);
        }
    }

    /// @dev A new admin, valid from the page's clock; its row number.
    function _addAdmin(Run memory run, uint256 org, uint256 ptr) private pure returns (uint256 number) {
        unchecked {
            number = Rows.countOf(run.meta, Codes.PRINCIPALS);
            uint256 row = Rights.newPrincipal(run, org, Codes.ADMIN, ptr);
            Memory.put48(row + Rows.PRINCIPAL_VALIDITY, run.clock);
        }
    }
}
