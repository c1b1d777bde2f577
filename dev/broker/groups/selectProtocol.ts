import type { GroupProtocol } from './member';

interface Voter {
  readonly protocols: readonly GroupProtocol[];
}

/** The protocols that every voter knows. */
export function commonProtocols(voters: readonly Voter[]): string[] {
  const [first, ...others] = voters.map(({ protocols }) => protocols.map(({ name }) => name));
  return (first ?? []).filter((name) => others.every((names) => names.includes(name)));
}

/** Each voter votes for the first of its protocols that all know; most votes win, as in Apache Kafka. */
export function selectProtocol(voters: readonly Voter[]): string {
  const candidates = commonProtocols(voters);
  const votes = voters.map(({ protocols }) => protocols.find(({ name }) => candidates.includes(name))?.name);
  const count = (name: string): number => votes.filter((vote) => vote === name).length;
  return candidates.reduce((best, name) => (count(name) > count(best) ? name : best), candidates[0] ?? '');
}
