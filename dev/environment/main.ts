/** Writes `.env.example` anew. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProjectRoot } from '../kafka/projectRoot';
import { renderExample } from './renderExample';

writeFileSync(join(findProjectRoot(__dirname), '.env.example'), renderExample());
