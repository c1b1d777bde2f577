import type { Tools } from '../command';
import { settleLetters, type SettleOptions } from './settle';

/** `ops dlq discard`: marks dead letters as dealt with. They stay in Kafka until they expire. */
export function discardLetters(
  tools: Tools,
  names: readonly string[],
  options: SettleOptions,
): Promise<number> {
  return settleLetters(tools, names, options, () => ({
    action: 'discarded',
    again: false,
    perform: async () => undefined,
    faultOf: () => undefined,
  }));
}
