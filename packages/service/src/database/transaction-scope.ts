import { AsyncLocalStorage } from "node:async_hooks";
import type { Statements } from "./queries.ts";

/**
 * The state of one transaction, which makes all databases behave alike:
 *
 *     open ── a statement fails ──► failed ──┐
 *      └───────── work settles ──────────────┴──► ended
 */
export class TransactionScope {
  #hasEnded = false;
  #failure: { readonly error: unknown } | undefined;

  get isOpen(): boolean {
    return !this.#hasEnded;
  }

  /** The error of the first failed statement. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  end(): void {
    this.#hasEnded = true;
  }

  /** Runs statements while the transaction is open, and records the first failure. */
  guard({ all, run, stream }: Statements): Statements {
    const attempt = async <T>(statement: () => Promise<T>): Promise<T> => {
      this.#check();
      try {
        return await statement();
      } catch (error) {
        this.#failure ??= { error };
        throw error;
      }
    };
    const check = (): void => this.#check();
    const fail = (error: unknown): void => {
      this.#failure ??= { error };
    };
    return {
      all: (query) => attempt(() => all(query)),
      run: (query) => attempt(() => run(query)),
      async *stream(query) {
        check();
        try {
          for await (const row of stream(query)) {
            yield row;
            check();
          }
        } catch (error) {
          fail(error);
          throw error;
        }
      },
    };
  }

  #check(): void {
    if (this.#hasEnded) throw new Error("transaction has ended: await every statement before the work returns");
    if (this.#failure === undefined) return;
    const message = "transaction was aborted by an earlier failed statement; use ON CONFLICT for expected conflicts";
    throw new Error(message, { cause: this.#failure.error });
  }
}

/** Tracks which transaction the running code belongs to, per database. */
export class CurrentTransaction {
  readonly #scopes = new AsyncLocalStorage<TransactionScope>();

  run<T>(scope: TransactionScope, work: () => Promise<T>): Promise<T> {
    return this.#scopes.run(scope, work);
  }

  /** @throws Error inside a transaction's work */
  refuseInside(method: string): void {
    if (this.#scopes.getStore()?.isOpen !== true) return;
    throw new Error(
      `cannot call ${method} of the database inside transaction(): it would not be part of the transaction; call it on tx`,
    );
  }

  /** Guards statements outside of transactions. */
  guard({ all, run, stream }: Statements): Statements {
    return {
      all: async (query) => {
        this.refuseInside("all, first or one");
        return all(query);
      },
      run: async (query) => {
        this.refuseInside("run");
        return run(query);
      },
      stream: (query) => {
        this.refuseInside("stream");
        return stream(query);
      },
    };
  }
}
