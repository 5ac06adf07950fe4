// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Openings} from "../executor/Openings.sol";
import {ClaimedRoot} from "../types/Convictions.sol";
import {Header} from "../types/Header.sol";
import {Headers} from "./Headers.sol";

/// @title Roots that pages claim, opened from either kind of batch
/// @dev A mask leaves the root open, so none is taken off.
library ClaimedRoots {
    /// @notice The root that page `index` of the batch claims; reverts with `WrongOpening` or `NotAProof` where the
    /// opening does not fit.
    function open(ClaimedRoot calldata claimed, Header calldata header, uint256 index) internal view returns (bytes32) {
        if (header.mode & Headers.MODE_BLOBS != 0) {
            return Openings.rootInBlob(claimed.blob, index, header.dataReference);
        }
        bytes calldata inclusion = claimed.inclusion;
        return Openings.pageInCalldata(claimed.page, index, header.pages, inclusion, header.dataReference)[0];
    }
}
