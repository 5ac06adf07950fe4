"""The two signature schemes of spec §7.5: secp256k1 with recovery (EIP-2098) and P-256; and valid keys of §3.3.

Points are Jacobian (X, Y, Z) for x = X/Z², y = Y/Z³; None is infinity. One verification is one double scalar
multiplication (Shamir's trick), some milliseconds.
"""

from keccak import keccak


class Curve:
    """y² = x³ + ax + b over p, generator (gx, gy) of order n."""

    def __init__(self, p, a, b, gx, gy, n):
        self.p, self.a, self.b, self.n = p, a % p, b, n
        self.g = (gx, gy, 1)

    def on_curve(self, x, y):
        return x < self.p and y < self.p and (y * y - (x * x * x + self.a * x + self.b)) % self.p == 0

    def double(self, point):
        if point is None:
            return None
        p = self.p
        x, y, z = point
        if y == 0:
            return None
        yy = y * y % p
        s = 4 * x * yy % p
        m = 3 * x * x
        if self.a:
            zz = z * z % p
            m += self.a * (zz * zz % p)
        m %= p
        x3 = (m * m - 2 * s) % p
        return x3, (m * (s - x3) - 8 * yy * yy) % p, 2 * y * z % p

    def add(self, one, two):
        if one is None:
            return two
        if two is None:
            return one
        p = self.p
        x1, y1, z1 = one
        x2, y2, z2 = two
        z1z1, z2z2 = z1 * z1 % p, z2 * z2 % p
        u1, u2 = x1 * z2z2 % p, x2 * z1z1 % p
        s1, s2 = y1 * z2 * z2z2 % p, y2 * z1 * z1z1 % p
        h, r = (u2 - u1) % p, (s2 - s1) % p
        if h == 0:
            return self.double(one) if r == 0 else None
        hh = h * h % p
        hhh, v = h * hh % p, u1 * hh % p
        x3 = (r * r - hhh - 2 * v) % p
        return x3, (r * (v - x3) - s1 * hhh) % p, h * z1 * z2 % p

    def combine(self, u, one, v, two):
        """u·one + v·two."""
        both = self.add(one, two)
        choice = {("1", "1"): both, ("1", "0"): one, ("0", "1"): two}
        total = None
        bits = max(u.bit_length(), v.bit_length())
        for pair in zip(f"{u:0{bits}b}", f"{v:0{bits}b}"):
            total = self.double(total)
            if pair != ("0", "0"):
                total = self.add(total, choice[pair])
        return total

    def affine(self, point):
        x, y, z = point
        inverse = pow(z, -1, self.p)
        square = inverse * inverse % self.p
        return x * square % self.p, y * square * inverse % self.p


SECP256K1 = Curve(
    p=2**256 - 2**32 - 977, a=0, b=7,
    gx=0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    gy=0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
    n=0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
)
P256 = Curve(
    p=2**256 - 2**224 + 2**192 + 2**96 - 1, a=-3,
    b=0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    gx=0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    gy=0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    n=0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
)


def valid_key(kind, key):
    """§3.3: an address is not zero; a P-256 point is on the curve. Kind 0 has no key."""
    if kind == 0:
        return key == b""
    if kind == 1:
        return len(key) == 20 and any(key)
    return len(key) == 64 and P256.on_curve(int.from_bytes(key[:32], "big"), int.from_bytes(key[32:], "big"))


def address_of(x, y):
    return keccak(x.to_bytes(32, "big") + y.to_bytes(32, "big"))[12:]


def recover(digest, r, s, parity):
    """The address that ecrecover gives, or None. r is the x of the nonce's point itself (never r + n)."""
    c = SECP256K1
    alpha = (r * r * r + c.a * r + c.b) % c.p
    y = pow(alpha, (c.p + 1) // 4, c.p)
    if y * y % c.p != alpha:
        return None
    if y & 1 != parity:
        y = c.p - y
    inverse = pow(r, -1, c.n)
    z = int.from_bytes(digest, "big")
    point = c.combine(-z * inverse % c.n, c.g, s * inverse % c.n, (r, y, 1))
    return None if point is None else address_of(*c.affine(point))


def p256_holds(digest, r, s, key):
    """ECDSA over the digest as it is, under (x, y)."""
    c = P256
    inverse = pow(s, -1, c.n)
    z = int.from_bytes(digest, "big")
    public = int.from_bytes(key[:32], "big"), int.from_bytes(key[32:], "big"), 1
    point = c.combine(z * inverse % c.n, c.g, r * inverse % c.n, public)
    return point is not None and c.affine(point)[0] % c.n == r


def split_signature(kind, signature):
    """§7.5: (r, s, parity), or None where it is Malformed. The parity is secp256k1's alone."""
    r, s, parity = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"), 0
    if kind == 1:
        parity, s = s >> 255, s & ((1 << 255) - 1)
    n = SECP256K1.n if kind == 1 else P256.n
    return (r, s, parity) if 1 <= r < n and 1 <= s <= n // 2 else None


def check_signature(kind, key, digest, signature):
    """§7.5: "ok", "NoKey", "Malformed" or "Wrong"."""
    if kind == 0:
        return "NoKey"
    parts = split_signature(kind, signature)
    if parts is None:
        return "Malformed"
    r, s, parity = parts
    holds = recover(digest, r, s, parity) == key if kind == 1 else p256_holds(digest, r, s, key)
    return "ok" if holds else "Wrong"
