// The types of the prescribed client with its patch.

import type { User, UserEvent } from "./generated/user_pb.js";

export class UserClient {
  constructor(baseUrl: string);
  authToken: string;
  reconnects: number;
  getUser(userId: string): Promise<User>;
  streamUserEvents(onEvent: (event: UserEvent) => void): () => void;
}

export class NotFoundError extends Error {}
export class ForbiddenError extends Error {}
export class UnauthorizedError extends Error {}
export const envoyConfig: string;
