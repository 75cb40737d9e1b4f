// The types of the module of write-stubs.ts that the tests use.

declare class Message {
  serializeBinary(): Uint8Array;
  toObject(): object;
}

export class User extends Message {
  static deserializeBinary(bytes: Uint8Array): User;
  getUserId(): string;
  getDisplayName(): string;
  getEmail(): string;
}

export class GetUserRequest extends Message {
  setUserId(value: string): this;
}

export class StreamUserEventsRequest extends Message {}

export class UserCreated extends Message {
  getUser(): User | undefined;
}

export class UserEvent extends Message {
  static deserializeBinary(bytes: Uint8Array): UserEvent;
  getUserCreated(): UserCreated | undefined;
}
