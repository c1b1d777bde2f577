import type { TopicTrouble } from '../kafka/topics/topicTrouble';

/** What to do about a topic in trouble. */
export function topicRemedy(state: TopicTrouble['state']): string {
  switch (state) {
    case 'missing':
      return 'Create it ("npx signalbox ops topics apply --execute").';
    case 'refused':
      return 'Grant the right to the account, or change the policy; it is tried again by itself.';
    case 'unavailable':
      return 'Look at its leaders and replicas ("npx signalbox ops topics describe"); it is tried again by itself.';
  }
}
