/** `<port> <name of an attack>`: attacks until it is ended. */
import { attack } from "../loop-delay/attack.ts";
import { attacks } from "../loop-delay/attacks.ts";

const [port, name = ""] = process.argv.slice(2);
const octets = attacks[name];
if (octets === undefined) throw new Error(`there is no attack "${name}"`);
await attack(Number(port), octets, new AbortController().signal);
