import Type from 'typebox'
import { ActorReply, Digest, itemsOf, Ms, nullable, pageReply } from '#kernel/http/replies.ts'

export const JobsReply = pageReply(
  Type.Object({
    id: Type.String(),
    kind: Type.String(),
    state: Type.Union(['waiting', 'running', 'done', 'failed', 'cancelled'].map((state) => Type.Literal(state))),
    subject: nullable(Type.Object({ kind: Type.String(), id: Type.String() })),
    who: ActorReply,
    attempt: Type.Integer(),
    attempts_max: Type.Integer(),
    cancel_asked: Type.Boolean(),
    progress: nullable(Type.Number({ description: '0..1, as last reported.' })),
    note: nullable(Type.String()),
    error: nullable(Type.Object({ problem: Type.String(), message: Type.String() })),
    created_ms: Ms,
    started_ms: nullable(Ms),
    ended_ms: nullable(Ms),
    run_at_ms: Ms,
  }),
)

const version = {
  project: Type.String(),
  number: Type.Integer(),
  digest: Type.String(),
  code: nullable(Digest),
  applied_by: ActorReply,
  applied_ms: Ms,
}
const Project = Type.Object({ ...version, yaml: Type.String() })

export const ProjectsReply = itemsOf(Project)
export const ProjectReply = Type.Object({ ...Project.properties, history: Type.Array(Type.Object(version)) })
export const AppliedReply = Type.Object({
  project: Type.String(),
  number: Type.Integer(),
  changes: Type.Array(
    Type.Object({
      path: Type.String({ description: '`pipelines.train`' }),
      change: Type.Union(['added', 'changed', 'removed'].map((change) => Type.Literal(change))),
    }),
  ),
  applied: Type.Boolean(),
})
