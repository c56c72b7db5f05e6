/** `failflat/http`: the shutdown of an HTTP server. */
export { answerOf, type HttpAnswer } from './answers.js';
export { attachHttp, type HttpAttachment } from './attachHttp.js';
export type { HttpOptions, RequestFacts, RequestIntent } from './options.js';
