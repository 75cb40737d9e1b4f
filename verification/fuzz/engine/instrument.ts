import { createRequire } from "node:module";

interface Node {
  type: string;
  start: number;
  end: number;
}

/** The used part of acorn's interface. acorn is installed separately, so its types may be missing. */
interface Parser {
  parse(source: string, options: { ecmaVersion: "latest"; sourceType: "module" }): Node;
}

interface Insertion {
  at: number;
  text: string;
  /** Whether it closes an earlier insertion, so that it comes before insertions that open at the same position. */
  closes: boolean;
}

export interface Instrumented {
  source: string;
  /** The number of used counters, beginning with `firstCounter`. */
  counters: number;
}

/** The name of the global with the counters. */
export const countersName = "__tercelFuzzCounters";

const functionTypes = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);
const loopTypes = new Set(["ForStatement", "ForInStatement", "ForOfStatement", "WhileStatement", "DoWhileStatement"]);

let parser: Parser | undefined;

/**
 * Makes a module count how often each branch is taken: every function, both branches of `if` and `?:`, the second
 * operand of `&&`, `||` and `??`, each loop body, `case` and `catch`. Line numbers do not change.
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

/** Returns the conditional children of a node, as [child, whether it is a statement]. */
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
  // Sorting is stable, so the outer one opens first and closes last.
  insertions.sort((a, b) => a.at - b.at || Number(b.closes) - Number(a.closes));
  let out = "";
  let at = 0;
  for (const insertion of insertions) {
    out += source.slice(at, insertion.at) + insertion.text;
    at = insertion.at;
  }
  return out + source.slice(at);
}
