import type { ConnectError } from "@connectrpc/connect";
import type { ClientCallListener } from "../../transport/client/client-call.ts";
import type { PickInfo } from "../balancer/index.ts";
import type { CallWaiter, CompletePick, WaiterQueue } from "../core/waiter-queue.ts";
import type { Attempt } from "./attempt.ts";

/** The call that makes attempts: it is notified of the outcome of each. */
export interface AttemptOwner extends ClientCallListener {
  readonly pickInfo: PickInfo;
  /** The attempt has a subchannel, whose connection it has to `open` on before this returns. */
  onPick(attempt: Attempt, pick: CompletePick): void;
  onFail(attempt: Attempt, error: ConnectError, wasDropped: boolean): void;
  onServiceConfig(): void;
}

/** An attempt's place among those that wait for a connection. Most attempts find theirs at once and have none. */
export class WaitingAttempt implements CallWaiter {
  waitForReady: boolean;
  queue: WaiterQueue | undefined = undefined;
  previousWaiter: CallWaiter | undefined = undefined;
  nextWaiter: CallWaiter | undefined = undefined;
  private readonly attempt: Attempt;
  private readonly owner: AttemptOwner;

  constructor(attempt: Attempt, owner: AttemptOwner, waitForReady: boolean) {
    this.attempt = attempt;
    this.owner = owner;
    this.waitForReady = waitForReady;
  }

  get keepsProcessAlive(): boolean {
    return this.attempt.keepsProcessAlive;
  }

  get pickInfo(): PickInfo {
    return this.owner.pickInfo;
  }

  onPick(pick: CompletePick): void {
    this.owner.onPick(this.attempt, pick);
  }

  onFail(error: ConnectError, wasDropped: boolean): void {
    this.owner.onFail(this.attempt, error, wasDropped);
  }

  onResolutionEnd(): void {
    this.attempt.observer?.onResolutionEnd();
  }

  onServiceConfig(): void {
    this.owner.onServiceConfig();
  }
}
