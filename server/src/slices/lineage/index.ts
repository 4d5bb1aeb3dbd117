export {
  type BlastRadius,
  createLineage,
  type Describe,
  type Description,
  type Direction,
  type Graph,
  type Lineage,
  type LineageEdge,
  type LineageNode,
  type Walk,
} from './lineage.ts'
export { lineageRoutes } from './routes.ts'
