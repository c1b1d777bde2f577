import { UserError } from '../shared/lifecycle';

/**
 * A write that capture refuses because it could not tell its events, or a set-up that it can't work with. The message
 * says what to do instead; it holds names of models and operations, never values.
 */
export class CaptureError extends UserError {
  override readonly name = 'CaptureError';
}
