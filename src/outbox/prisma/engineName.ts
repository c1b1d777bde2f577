/** The engines that turn writes into events; the values of OUTBOX_CAPTURE. */
export type CaptureEngineName = 'middleware' | 'trigger';
