"""Trees for tests, and what is in them: written in another language than what is tested, and sharing nothing with it.

trees.py build SEED FOLDER [utf8]   fills an empty folder; with utf8 every name is UTF-8
trees.py walk FOLDER                prints what is in it, as JSON
trees.py archive KIND FILE          writes a tar archive that must not be restored
trees.py hostile SEED FILE          writes a tar archive of members that try to leave the folder, some of which it may hold
trees.py swap FOLDER OUTSIDE        lets a folder and a link to another one take turns under its name, until it is ended
trees.py serve                      does what lines of JSON say, such as ["walk", FOLDER]; each is answered by a line
"""
import hashlib, io, json, os, random, stat, sys, tarfile

NAMES = [b"plain", b"with space", b" leading", b"trailing ", b"-dash", b"--option", b"new\nline", b"tab\t", b"quote\"'", b"back\\slash",
         b"\\101", b"colon: Cannot open: x", b"%25", b".hidden", b"...", "ü".encode(), "日本".encode(), "e\u0301".encode(), "🦅".encode(),
         b"a" * 255, ("ä" * 127).encode(), b"~", b"#hash", b";semi", b"@at", b"CON", b"UPPER", b"upper"]
NOT_UTF8 = [b"bad\xff", b"\x80\x81", b"latin\xe9"]
SIZES = [0, 1, 511, 512, 513, 1024, 4096, 10240, 65535, 65536, 200_000]


def build(seed, folder, utf8):
    rnd = random.Random(seed)
    root = os.fsencode(folder)
    is_root = os.geteuid() == 0
    folders, files, made = [root], [], []
    names = NAMES if utf8 else NAMES + NOT_UTF8

    def new_path():
        parent = rnd.choice(folders)
        name = rnd.choice(names) if rnd.random() < 0.6 else b"n%d" % rnd.randrange(1000)
        path = os.path.join(parent, name)
        return None if os.path.lexists(path) or len(path) - len(root) > 2500 else path

    for _ in range(rnd.randrange(5, 45)):
        path = new_path()
        if path is None:
            continue
        kind = rnd.random()
        if kind < 0.25:
            os.mkdir(path)
            folders.append(path)
        elif kind < 0.65 or not files:
            with open(path, "wb") as out:
                size = rnd.choice(SIZES)
                out.write(rnd.randbytes(size) if rnd.random() < 0.5 else b"text\n" * (size // 5))
            files.append(path)
        elif kind < 0.72:
            with open(path, "wb") as out:
                for _ in range(rnd.randrange(0, 4)):
                    out.seek(rnd.randrange(0, 6) * 1024 * 1024 + rnd.randrange(0, 5000))
                    out.write(rnd.randbytes(rnd.randrange(1, 9000)))
                out.truncate(rnd.randrange(6, 9) * 1024 * 1024)
            files.append(path)
        elif kind < 0.80:
            target = rnd.choice(files)
            os.link(target, path)
        elif kind < 0.90:
            target = rnd.choice([b"nowhere", b"/etc/passwd", b"..", b"plain", b"\xc3\xbc", b"x" * 300, b"./a//b"])
            os.symlink(target, path)
        elif kind < 0.95 or not is_root:
            os.mkfifo(path)
        else:
            os.mknod(path, stat.S_IFCHR | 0o640, os.makedev(1, 3))
        made.append(path)
    # Larger than 32 bits can count, and quick to hash: one in a thousand trees has it.
    if seed % 1000 == 999:
        path = os.path.join(root, b"5 GiB")
        with open(path, "wb") as out:
            out.seek(5 * 1024**3)
            out.write(b"end")
        made.append(path)
    for path in made:
        info = os.lstat(path)
        plain = stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode)
        if plain and rnd.random() < 0.3:
            os.setxattr(path, b"user.test", rnd.randbytes(rnd.randrange(0, 100)))
        if plain and rnd.random() < 0.1:
            os.setxattr(path, b"user.line=\n", b"x=\ny")
        if is_root and rnd.random() < 0.4:
            os.lchown(path, rnd.choice([0, 1000, 70000, 2_000_000_000]), rnd.choice([0, 1000, 70000]))
        if not stat.S_ISLNK(info.st_mode) and rnd.random() < 0.6:
            modes = [0o000, 0o400, 0o644, 0o755, 0o777, 0o4755, 0o2755, 0o1777] if is_root else [0o600, 0o644, 0o755]
            mode = rnd.choice(modes)
            os.chmod(path, mode | 0o700 if stat.S_ISDIR(info.st_mode) and not is_root else mode)
    for path in reversed(made + [root]):
        seconds = rnd.choice([0, 1, -1, -86400 * 365 * 30, 1_000_000_000, 4_000_000_000, 1_796_076_935])
        os.utime(path, ns=(0, seconds * 10**9 + rnd.choice([0, 1, 999_999_999, 123_456_789])), follow_symlinks=False)


KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link", stat.S_IFIFO: "fifo", stat.S_IFCHR: "device",
         stat.S_IFBLK: "device", stat.S_IFSOCK: "socket"}


def walk(folder):
    root = os.fsencode(folder)
    groups, entries = {}, []

    def visit(path, name):
        info = os.lstat(path)
        kind = KINDS[stat.S_IFMT(info.st_mode)]
        entry = {"path": name.hex(), "kind": kind, "mode": stat.S_IMODE(info.st_mode), "uid": info.st_uid, "gid": info.st_gid,
                 "mtime": str(info.st_mtime_ns)}
        if kind == "file":
            digest = hashlib.sha256()
            with open(path, "rb") as content:
                for block in iter(lambda: content.read(1 << 20), b""):
                    digest.update(block)
            entry.update(size=info.st_size, digest=digest.hexdigest())
            if info.st_nlink > 1:
                entry["group"] = groups.setdefault((info.st_dev, info.st_ino), name.hex())
        if kind == "link":
            entry["target"] = os.readlink(path).hex()
        if kind == "device":
            entry["device"] = info.st_rdev
        if kind in ("file", "folder"):
            entry["attributes"] = {one: os.getxattr(path, one).hex() for one in sorted(os.listxattr(path))}
        entries.append(entry)
        if kind == "folder":
            for inner in sorted(os.listdir(path)):
                visit(os.path.join(path, inner), name + (b"/" if name else b"") + inner)

    visit(root, b"")
    return entries


def archive(kind, path):
    def add(name, content=None, **fields):
        member = tarfile.TarInfo(name)
        for field, value in fields.items():
            setattr(member, field, value)
        if content is not None:
            member.size = len(content)
        out.addfile(member, None if content is None else io.BytesIO(content))

    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as out:
        add("./good", b"good")
        if kind == "parent":
            add("./../evil", b"evil")
        elif kind == "inner-parent":
            add("./a/../../evil", b"evil")
        elif kind == "absolute":
            add("/tmp/tercel-evil", b"evil")
        elif kind == "through-link":
            add("./way", type=tarfile.SYMTYPE, linkname="..")
            add("./way/evil", b"evil")
        elif kind == "over-link":
            add("./way", type=tarfile.SYMTYPE, linkname="../evil")
            add("./way", b"evil")
        elif kind == "hard-link":
            add("./way", type=tarfile.LNKTYPE, linkname="../evil")
        elif kind == "hard-link-through-link":
            add("./way", type=tarfile.SYMTYPE, linkname="..")
            add("./copy", type=tarfile.LNKTYPE, linkname="./way/evil")
        elif kind == "pax-path":
            add("./innocent", b"evil", pax_headers={"path": "../evil"})


EVIL_NAMES = ["./a", "./a/b", "./a/b/c", "a", "./way", "./way/evil", "./way/way/evil", "../evil", "./../evil", "./a/../../evil", "a/./b",
              "a//b", "/tmp/tercel-evil", "//tmp/tercel-evil", "..", ".", "./", "", "./...", "./a/..", "x" * 300 + "/../../evil", "./b/" * 60 + "c"]
EVIL_TARGETS = ["..", "../..", "../evil", ".", "a", "./way", "way/evil", "/", "/tmp", "/tmp/tercel-evil", "../../../../../tmp", "./a/../..", ""]


def hostile(seed, path):
    rnd = random.Random(seed)
    with tarfile.open(path, "w", format=rnd.choice([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])) as out:
        for _ in range(rnd.randrange(1, 9)):
            member = tarfile.TarInfo(rnd.choice(EVIL_NAMES))
            member.type = rnd.choice([tarfile.REGTYPE] * 3 + [tarfile.DIRTYPE] * 2 + [tarfile.SYMTYPE] * 3 + [tarfile.LNKTYPE] * 2
                                     + [tarfile.FIFOTYPE, tarfile.CONTTYPE])
            member.mode = rnd.choice([0o644, 0o4755, 0o777, 0])
            if member.type in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                member.linkname = rnd.choice(EVIL_TARGETS)
            content = b"evil" if member.type in (tarfile.REGTYPE, tarfile.CONTTYPE) else b""
            member.size = len(content)
            if out.format == tarfile.PAX_FORMAT and rnd.random() < 0.3:
                member.pax_headers = {rnd.choice(["path", "linkpath", "size", "GNU.sparse.name", "mtime"]):
                                      rnd.choice(EVIL_NAMES + EVIL_TARGETS + ["-1", "9" * 30])}
            out.addfile(member, io.BytesIO(content))


def swap(folder, outside):
    aside = folder + ".aside"
    while True:
        os.rename(folder, aside)
        os.symlink(outside, folder)
        os.unlink(folder)
        os.rename(aside, folder)


def perform(command, rest):
    if command == "build":
        return build(int(rest[0]), rest[1], "utf8" in rest)
    if command == "walk":
        return walk(rest[0])
    if command == "hostile":
        return hostile(int(rest[0]), rest[1])
    if command == "swap":
        return swap(*rest)
    return archive(*rest)


def serve():
    for line in sys.stdin:
        command, *rest = json.loads(line)
        try:
            answer = {"result": perform(command, rest)}
        except Exception as error:
            answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    if name == "serve":
        serve()
    else:
        found = perform(name, arguments)
        if found is not None:
            json.dump(found, sys.stdout)
