export { refuseDeep, refuseHalfLetters } from './json.ts'
export { liveReply } from './live.ts'
export { type Cursors, createCursors, PAGE_DEFAULT, PAGE_MAX, type Page, PageQuery, pageOf } from './pages.ts'
export { asProblem, logProblem, problemReply } from './problems.ts'
export { ActorReply, AnyObject, Bytes, Digest, EventStream, itemsOf, Ms, nullable, pageReply } from './replies.ts'
export {
  type Call,
  callerOf,
  createRoutes,
  type Doorman,
  type Needs,
  type Route,
  type RouteEntry,
  type RouteSpec,
  type Routes,
} from './route.ts'
export * from './who.ts'
