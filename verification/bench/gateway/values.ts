/** What every server under test answers with, so that the work is the same. */
export const user = {
  userId: "ada",
  email: "ada@example.com",
  displayName: "Ada Lovelace",
};

/** About 3.6 KB of JSON. */
export const users = Array.from({ length: 50 }, (_, at) => ({ ...user, userId: `user-${at}` }));
