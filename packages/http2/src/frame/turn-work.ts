/** What one frame counts for. A message of a few bytes, of which a frame may hold thousands, counts for one. */
export const workOfFrame = 8;

/** The work that a connection has done in this turn of the event loop. Its frames are counted here, and by the layer above its messages. */
export class TurnWork {
  done = 0;
}
