"""Reads one JSON order a line and answers each with one line: the other side of python-hpack.ts."""
import json
import sys

from hpack import Decoder, Encoder

decoder = Decoder(max_header_list_size=1 << 20)
encoder = Encoder()

for line in sys.stdin:
    order = json.loads(line)
    answer = {}
    if "tableBytes" in order:
        # The maximum that the writer may announce. The next block contains the size.
        decoder.max_allowed_table_size = order["tableBytes"]
        encoder.header_table_size = order["tableBytes"]
    if "decode" in order:
        fields = decoder.decode(bytes.fromhex(order["decode"]), raw=True)
        answer["fields"] = [text.decode("latin-1") for name, value, *_ in fields for text in (name, value)]
    if "encode" in order:
        fields = [text.encode("latin-1") for text in order["encode"]]
        pairs = list(zip(fields[::2], fields[1::2]))
        answer["block"] = encoder.encode(pairs, huffman=order["huffman"]).hex()
    print(json.dumps(answer), flush=True)
