"""Known answers from elsewhere for the primitives that everything stands on: Keccak-256, EIP-712, ecrecover with
EIP-2098, P-256 (RFC 6979 A.2.5), RFC 9162's shapes; and the spec's own sizes. `check_vectors.py` runs this first.
"""

import hashlib

import codes
import log
import rows
import units
from curves import P256, SECP256K1, address_of, check_signature, recover, valid_key
from eip712 import hash_struct, type_hash
from keccak import keccak, keccak_many, keccak_uncached, leaf, node
from tree import EMPTY, SparseTree, Witness

H = bytes.fromhex


def keccak_answers():
    assert keccak(b"") == H("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
    assert keccak(b"abc") == H("4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45")
    assert keccak(b"transfer(address,uint256)")[:4] == H("a9059cbb")
    for n in (0, 1, 64, 135, 136, 137, 271, 272, 953):
        data = bytes(i % 251 for i in range(n))
        assert keccak_uncached(data, 0x06) == hashlib.sha3_256(data).digest()
    messages = [bytes([i]) * 65 for i in range(200)]
    assert keccak_many(messages) == [keccak(message) for message in messages]


def mail():
    """The example of EIP-712, signed by the key keccak("cow")."""
    domain = hash_struct(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
        {"name": "Ether Mail", "version": "1", "chainId": 1,
         "verifyingContract": H("CcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC")})
    assert domain == H("f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f")
    people = []
    for name, wallet in (("Cow", "CD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"),
                         ("Bob", "bBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB")):
        people.append(hash_struct("Person(string name,address wallet)", {"name": name, "wallet": H(wallet)}))
    message = keccak(
        type_hash("Mail(Person from,Person to,string contents)Person(string name,address wallet)")
        + people[0] + people[1] + keccak(b"Hello, Bob!"))
    assert message == H("c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e")
    digest = keccak(b"\x19\x01" + domain + message)
    assert digest == H("be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2")
    r = 0x4355C47D63924E8A72E509B65029052EB6C299D53A04E167C5775FD466751C9D
    s = 0x07299936D304C153F6443DFA05F40FF007D72911B6F72307F996231605B91562
    assert recover(digest, r, s, 1) == H("CD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826")
    assert recover(digest, r, s, 0) != H("CD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826")


def eip_2098():
    """The two examples of EIP-2098, by the key 1234…7890."""
    c = SECP256K1
    secret = int("1234567890" * 6 + "1234", 16)
    address = address_of(*c.affine(c.combine(secret, c.g, 0, None)))
    for text, r, s in (
        ("Hello World", "68a020a209d3d56c46f38cc50a33f704f4a9a10a59377f8dd762ac66910e9b90",
         "7e865ad05c4035ab5792787d4a0297a43617ae897930a6fe4d822b8faea52064"),
        ("It's a small(er) world", "9328da16089fcba9bececa81663203989f2df5fe1faa6291a45381c81bd17f76",
         "939c6d6b623b42da56557e5e734a43dc83345ddfadec52cbe24d0cc64f550793"),
    ):
        digest = keccak(b"\x19Ethereum Signed Message:\n" + str(len(text)).encode() + text.encode())
        assert check_signature(1, address, digest, H(r + s)) == "ok"
        assert check_signature(1, address, keccak(digest), H(r + s)) == "Wrong"
        assert check_signature(1, address, digest, bytes(32) + H(s)) == "Malformed"


def rfc_6979():
    """A.2.5, SHA-256; the messages' hashes were taken with it."""
    key = H("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
            "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299")
    assert valid_key(2, key) and not valid_key(2, bytes(64)) and not valid_key(2, key[:63] + b"\0")
    secret = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
    public = P256.affine(P256.combine(secret, P256.g, 0, None))
    assert public[0].to_bytes(32, "big") + public[1].to_bytes(32, "big") == key
    for text, r, s in (
        (b"sample", "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
         "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"),
        (b"test", "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
         "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083"),
    ):
        digest, low = hashlib.sha256(text).digest(), int(s, 16)
        if low > P256.n // 2:
            assert check_signature(2, key, digest, H(r + s)) == "Malformed"
            low = P256.n - low
        signature = H(r) + low.to_bytes(32, "big")
        assert check_signature(2, key, digest, signature) == "ok"
        assert check_signature(2, key, keccak(digest), signature) == "Wrong"


def trees():
    """§8.2's three ways to a root and §8.3's proofs agree with one another; a witness with the whole tree."""
    leaves = [leaf(bytes([i])) for i in range(9)]
    assert log.root_of(leaves[:3]) == node(node(leaves[0], leaves[1]), leaves[2])
    roots = [log.root_of(leaves[:n]) for n in range(10)]
    assert roots[0] == keccak(b"")
    for n in range(1, 10):
        for i in range(n):
            path = log.inclusion_path(leaves[:n], i)
            assert log.inclusion_holds(leaves[i], i, n, path, roots[n])
            assert not log.inclusion_holds(leaves[i], i, n, path + [roots[1]], roots[n])
        for m in range(n + 1):
            path = log.consistency_path(leaves[:n], m)
            assert log.consistency_holds(m, roots[m], n, roots[n], path)
            assert not log.consistency_holds(m, roots[m], n, roots[n], path + [roots[1]])
    tree, state_rows = SparseTree(), {(3, n): bytes(153) for n in (0, 1, 5, 2**32 - 1)}
    assert tree.root == EMPTY[35]
    root = tree.update(state_rows)
    witness = Witness(tree.witness(state_rows, [(3, 0), (3, 1), (3, 2), (4, 7)]))
    assert witness.root_before == root
    assert witness.root({(3, 2): bytes(153)}) == tree.update({(3, 2): bytes(153)})


def sizes():
    """The sums that §1.7, §3.1 and §5.2 state."""
    for table, size in ((0, 70), (1, 90), (2, 103), (3, 153), (4, 76)):
        assert sum(width for _, _, width in rows.LAYOUTS[table]) == size
    assert len(codes.PURPOSES) == 60 and len(codes.CATEGORIES) == 29
    assert codes.PURPOSES[57][1] == "ETREAT" and codes.CATEGORIES[25][1] == "110109"
    assert units.decode_page(bytes(992)).body == bytes(953)


def main():
    for check in (keccak_answers, mail, eip_2098, rfc_6979, trees, sizes):
        check()
    print("primitives: ok")


if __name__ == "__main__":
    main()
