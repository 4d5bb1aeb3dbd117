/** What replies of all areas are made of. */

export interface Page<T> {
  items: T[]
  next_cursor?: string
}

export interface Actor {
  kind: 'person' | 'token' | 'rule' | 'run' | 'system' | (string & {})
  id: string
  name: string
}
