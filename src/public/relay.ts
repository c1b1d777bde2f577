/* `signalbox/relay`: the relay, for programs that run it beside something else. */

export { type RelayProgram, runRelay } from '../relay/program';
