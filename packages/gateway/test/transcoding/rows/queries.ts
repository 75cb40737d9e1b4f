import type { JsonObject } from "@bufbuild/protobuf";
import { ok, type Row, refused } from "../row.ts";

const search = (query: string, fields: JsonObject): Row => ok(`GET /search?${query}`, "Search", fields);
const badly = (query: string): Row => refused(`GET /search?${query}`, 400);

const booleans: readonly Row[] = [
  search("flag=true", { flag: true }),
  search("flag=false", {}),
  ...["flag=1", "flag=True", "flag=", "flag=yes"].map(badly),
];

const numbers: readonly Row[] = [
  search("small=7", { small: 7 }),
  search("small=-7", { small: -7 }),
  search("small=-2147483648", { small: -2147483648 }),
  ...["small=2147483648", "small=1.5", "small=x", "small=", "small=0x10", "small=%2B7", "small=+7", "small=null"].map(
    badly,
  ),
  search("large=9007199254740993", { large: "9007199254740993" }),
  search("large=-9223372036854775808", { large: "-9223372036854775808" }),
  badly("large=9223372036854775808"),
  search("smallUnsigned=4294967295", { smallUnsigned: 4294967295 }),
  ...["smallUnsigned=4294967296", "smallUnsigned=-1"].map(badly),
  search("largeUnsigned=18446744073709551615", { largeUnsigned: "18446744073709551615" }),
  badly("largeUnsigned=18446744073709551616"),
  search("smallZigzag=-1", { smallZigzag: -1 }),
  search("largeZigzag=-1", { largeZigzag: "-1" }),
  search("smallFixed=1", { smallFixed: 1 }),
  search("largeFixed=1", { largeFixed: "1" }),
  search("smallSignedFixed=-1", { smallSignedFixed: -1 }),
  search("largeSignedFixed=-1", { largeSignedFixed: "-1" }),
  search("single=1.5", { single: 1.5 }),
  search("single=NaN", { single: "NaN" }),
  search("single=Infinity", { single: "Infinity" }),
  badly("single=1e39"),
  search("precise=-0.5", { precise: -0.5 }),
  search("precise=1e-7", { precise: 1e-7 }),
  search("precise=1E3", { precise: 1000 }),
  search("precise=-Infinity", { precise: "-Infinity" }),
  ...["precise=.5", "precise=1.", "precise=nan", "precise=inf", "precise=1e400", "precise="].map(badly),
];

const texts: readonly Row[] = [
  search("text=a", { text: "a" }),
  search("text=", {}),
  search("text", {}),
  search("text=a+b", { text: "a b" }),
  search("text=a%20b", { text: "a b" }),
  search("text=a%2Bb", { text: "a+b" }),
  search("text=a%26b%3Dc", { text: "a&b=c" }),
  search("text=a=b", { text: "a=b" }),
  search("text=%E2%9C%93", { text: "✓" }),
  search("te%78t=a", { text: "a" }),
  search("&&text=a&&", { text: "a" }),
  search("text=a;b", { text: "a;b" }),
  ...["text=%zz", "text=%ff"].map(badly),
  search("data=AQI=", { data: "AQI=" }),
  search("data=AQI", { data: "AQI=" }),
  search("data=-_8", { data: "+/8=" }),
  search("data=%2B%2F8=", { data: "+/8=" }),
  ...["data=@", "data=A"].map(badly),
];

const enums: readonly Row[] = [
  search("kind=KIND_TWO", { kind: "KIND_TWO" }),
  search("kind=2", { kind: "KIND_TWO" }),
  search("kind=7", { kind: 7 }),
  search("kind=-1", { kind: -1 }),
  search("kind=0", {}),
  ...["kind=NONE", "kind=kind_one", "kind=", "kind=2147483648"].map(badly),
];

const repeated: readonly Row[] = [
  search("numbers=1&numbers=2", { numbers: [1, 2] }),
  search("words=b&words=a", { words: ["b", "a"] }),
  search("words=", { words: [""] }),
  search("kinds=KIND_ONE&kinds=2", { kinds: ["KIND_ONE", "KIND_TWO"] }),
  search("words=a&flag=true&words=b", { words: ["a", "b"], flag: true }),
  ...["numbers=1,2", "numbers=1&numbers=x", "children=a", "children.text=a"].map(badly),
  ...["labels=a", "labels.a=b", "labels[a]=b", "labels.key=a"].map(badly),
  ...["small=1&small=2", "text=a&text=a", "child.text=a&child.text=b"].map(badly),
];

const nested: readonly Row[] = [
  search("child.text=a", { child: { text: "a" } }),
  search("child.child.text=a", { child: { child: { text: "a" } } }),
  search("child.text=a&child.small=1&text=b", { child: { text: "a", small: 1 }, text: "b" }),
  search("child.numbers=1&child.numbers=2", { child: { numbers: [1, 2] } }),
  search("child.smallUnsigned=1", { child: { smallUnsigned: 1 } }),
  search("child.small_unsigned=1", { child: { smallUnsigned: 1 } }),
  ...["child=a", "child=%7B%7D", "child.nope=1", "child.=1", ".text=1", "text.x=1"].map(badly),
];

const names: readonly Row[] = [
  search("small_unsigned=1", { smallUnsigned: 1 }),
  search("OddOne=a", { OddOne: "a" }),
  search("odd_name=a", { OddOne: "a" }),
  ...["oddName=a", "SmallUnsigned=1", "TEXT=a", "nope=1", "utm_source=x", "=1"].map(badly),
];

const wellKnown: readonly Row[] = [
  search("at=2026-01-31T08:00:00Z", { at: "2026-01-31T08:00:00Z" }),
  search("at=2026-01-31T08:00:00.5Z", { at: "2026-01-31T08:00:00.500Z" }),
  search("at=2026-01-31T09:00:00%2B01:00", { at: "2026-01-31T08:00:00Z" }),
  ...["at=2026-01-31", "at=0", "at="].map(badly),
  search("took=1.5s", { took: "1.500s" }),
  search("took=-1s", { took: "-1s" }),
  search("took=0s", { took: "0s" }),
  ...["took=1", "took=1m", "took=1h30m", "took="].map(badly),
  search("mask=text,small", { mask: "text,small" }),
  search("mask=smallUnsigned", { mask: "smallUnsigned" }),
  search("mask=small_unsigned", { mask: "smallUnsigned" }),
  search("mask=child.text", { mask: "child.text" }),
  search("mask=", { mask: "" }),
  badly("mask=a%20b"),
  search("maybeFlag=true", { maybeFlag: true }),
  search("maybeSmall=0", { maybeSmall: 0 }),
  search("maybeLarge=7", { maybeLarge: "7" }),
  search("maybeSmallUnsigned=7", { maybeSmallUnsigned: 7 }),
  search("maybeLargeUnsigned=7", { maybeLargeUnsigned: "7" }),
  search("maybeSingle=1.5", { maybeSingle: 1.5 }),
  search("maybePrecise=NaN", { maybePrecise: "NaN" }),
  search("maybeText=a", { maybeText: "a" }),
  search("maybeText=", { maybeText: "" }),
  search("maybeText=%22a%22", { maybeText: '"a"' }),
  search("maybeData=AQI=", { maybeData: "AQI=" }),
  search("maybeData=-_8", { maybeData: "+/8=" }),
  ...["maybeFlag=1", "maybeSmall=x", "maybeData=@"].map(badly),
  search("value=1", { value: 1 }),
  search("value=%22a%22", { value: "a" }),
  search("fields=%7B%22a%22:1%7D", { fields: { a: 1 } }),
  search("list=%5B1%5D", { list: [1] }),
  ...["value=a", "fields=1", "anything=%7B%7D"].map(badly),
];

const presence: readonly Row[] = [
  search("maybe=0", { maybe: 0 }),
  search("left=a", { left: "a" }),
  search("right=0", { right: 0 }),
  search("left=a&child.left=b", { left: "a", child: { left: "b" } }),
  badly("left=a&right=1"),
];

const taken: readonly Row[] = [
  ok("GET /items/a?text=b", "GetItem", { name: "a", text: "b" }),
  ok("GET /items/a?id=b&child.name=c", "GetItem", { name: "a", id: "b", child: { name: "c" } }),
  refused("GET /items/a?name=b", 400),
  refused("GET /items/a?nope=b", 400),
  refused("GET /nested/a/b?child.name=c", 400),
  ok("GET /nested/a/b?child.id=c", "GetNested", { child: { name: "a", id: "c", child: { id: "b" } } }),
  search("$alt=json", {}),
  search("$prettyPrint=true&text=a", { text: "a" }),
  search("$alt=json;enum-encoding=int&kind=KIND_ONE", { kind: 1 }),
  badly("$alt=proto"),
];

export const queryRows: readonly Row[] = [
  ...[...booleans, ...numbers, ...texts, ...enums, ...repeated],
  ...[...nested, ...names, ...wellKnown, ...presence, ...taken],
];
