import Type from 'typebox'
import type { Described } from './described.ts'

const text = Type.String()
const nothing = {}

/** Uploads in parts, by method and whole path. */
export const UPLOAD_CALLS: Readonly<Record<string, Described>> = {
  'POST /api/2.0/mlflow-artifacts/mpu/create/*': {
    summary: 'Begin an upload in parts: an address for each',
    fields: { 'path!': text, num_parts: Type.Integer({ minimum: 1, maximum: 10_000 }) },
    answer: {
      upload_id: text,
      credentials: Type.Array(
        Type.Object({ url: text, part_number: Type.Integer(), headers: Type.Record(Type.String(), Type.String()) }),
      ),
    },
  },
  'PUT /api/2.0/mlflow-artifacts/mpu/part': {
    summary: 'Upload one part; its etag is a header',
    fields: { 'upload_id!': text, 'part_number!': Type.Integer({ minimum: 1 }) },
    takes: 'application/octet-stream',
    answer: nothing,
  },
  'POST /api/2.0/mlflow-artifacts/mpu/complete/*': {
    summary: 'Put the parts together',
    fields: {
      'path!': text,
      'upload_id!': text,
      'parts!': Type.Array(Type.Object({ part_number: Type.Integer(), etag: text })),
    },
    answer: nothing,
  },
  'POST /api/2.0/mlflow-artifacts/mpu/abort/*': {
    summary: 'Forget an upload and its parts',
    fields: { 'path!': text, 'upload_id!': text },
    answer: nothing,
  },
}
