import type { CapturedModel } from '../model';
import type { Entry } from './entries';
import type { Link } from './links';

/** The rows at the other end of one relation field of the rows above. */
export interface Position {
  readonly link: Link;
  /** The model of the rows here. */
  readonly model: CapturedModel;
  /** The model of the rows above. */
  readonly above: CapturedModel;
  readonly entries: readonly Entry[];
  /** Values of the foreign key that data of the rows above gives by itself. */
  readonly pointers: readonly unknown[];
  /** Whether rows may be found here afterwards that were not here, or had another key, before. */
  readonly grows: boolean;
  readonly below: readonly Position[];
}

/** All positions of a tree. */
export const flattened = (positions: readonly Position[]): Position[] =>
  positions.flatMap((position) => [position, ...flattened(position.below)]);
