/** `<port> <name of an attack>`: attacks until it is ended. */
import { attack } from "../loop-delay/attack.ts";
import { attacks } from "../loop-delay/attacks.ts";
import { socketAttacks } from "./socket-attacks.ts";

const [port, name = ""] = process.argv.slice(2);
const octets = attacks[name];
const socketAttack = socketAttacks[name];
if (socketAttack !== undefined) await socketAttack.run(Number(port));
else if (octets !== undefined) await attack(Number(port), octets, new AbortController().signal);
else throw new Error(`there is no attack "${name}"`);
