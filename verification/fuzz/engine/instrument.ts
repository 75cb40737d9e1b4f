import { createRequire } from "node:module";

interface Node {
  type: string;
  start: number;
  end: number;
}

/** The little of acorn's interface that is used; acorn is installed apart, so its types are not always there. */
interface Parser {
  parse(source: string, options: { ecmaVersion: "latest"; sourceType: "module" }): Node;
}

interface Insertion {
  at: number;
  text: string;
  /** Ends what begins further in front: goes before whatever begins at the same place. */
  closes: boolean;
}

export interface Instrumented {
  source: string;
  /** Counters used, from `firstCounter` on. */
  counters: number;
}

/** The name by which instrumented modules find the counters. */
export const countersName = "__tercelFuzzCounters";

const functionTypes = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);
const loopTypes = new Set(["ForStatement", "ForInStatement", "ForOfStatement", "WhileStatement", "DoWhileStatement"]);

let parser: Parser | undefined;

/**
 * Makes a module count how often each of its branches is taken: every function, both ways of every `if` and `?:`, the second
 * half of `&&`, `||` and `??`, each loop's body, `case` and `catch`. Lines stay where they were.
 */
export function instrument(source: string, firstCounter: number): Instrumented {
  parser ??= createRequire(import.meta.url)("acorn") as Parser;
  const insertions: Insertion[] = [];
  let next = firstCounter;
  const count = (): string => `__c[${next++}]++`;
  const open = (at: number, text: string): void => void insertions.push({ at, text, closes: false });
  const close = (at: number, text: string): void => void insertions.push({ at, text, closes: true });

  const statement = (node: Node): void => {
    if (node.type === "BlockStatement") {
      open(node.start + 1, `${count()};`);
      visit(node);
    } else {
      open(node.start, `{${count()};`);
      visit(node);
      close(node.end, "}");
    }
  };
  const expression = (node: Node): void => {
    open(node.start, `(${count()},`);
    visit(node);
    close(node.end, ")");
  };

  const visit = (node: Node): void => {
    const instrumented = new Set<unknown>();
    for (const [child, isStatement] of branches(node)) {
      instrumented.add(child);
      if (isStatement) statement(child);
      else expression(child);
    }
    if (node.type === "SwitchCase") {
      const first = (node as Node & { consequent: Node[] }).consequent[0];
      if (first !== undefined) open(first.start, `${count()};`);
    }
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? value : [value]) {
        if (isNode(child) && !instrumented.has(child)) visit(child);
      }
    }
    if (node.type === "IfStatement" && !(node as Node & { alternate: Node | null }).alternate) {
      close(node.end, `else{${count()}}`);
    }
  };

  visit(parser.parse(source, { ecmaVersion: "latest", sourceType: "module" }));
  return { source: `const __c=globalThis.${countersName};${weave(source, insertions)}`, counters: next - firstCounter };
}

/** The children of a node that are run or not, as [child, whether it is a statement]. */
function branches(node: Node): [Node, boolean][] {
  const { body, consequent, alternate, right } = node as Node & Record<string, Node | null | undefined>;
  if (functionTypes.has(node.type) && body) return [[body, body.type === "BlockStatement"]];
  if ((loopTypes.has(node.type) || node.type === "CatchClause") && body) return [[body, true]];
  if (node.type === "LogicalExpression" && right) return [[right, false]];
  if (node.type !== "IfStatement" && node.type !== "ConditionalExpression") return [];
  const isStatement = node.type === "IfStatement";
  return [consequent, alternate].filter((way) => way != null).map((way) => [way, isStatement]);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string" && "start" in value;
}

function weave(source: string, insertions: Insertion[]): string {
  // Sorting is stable: what was noted first, the outer one, opens first, and what was noted last, the outer one, closes last.
  insertions.sort((a, b) => a.at - b.at || Number(b.closes) - Number(a.closes));
  let out = "";
  let at = 0;
  for (const insertion of insertions) {
    out += source.slice(at, insertion.at) + insertion.text;
    at = insertion.at;
  }
  return out + source.slice(at);
}
