// Generated from server/openapi.json by `npm run gen`; `npm run check` compares. Do not edit.
export interface paths {
  '/api/slipway/v1/audit': {
    /** What happened, newest first */
    get: {
      parameters: { query?: { limit?: number; cursor?: string; subject_kind?: string; subject_id?: string; who?: string; name?: string; from?: string; to?: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            seq: number
            id: string
            name: string
            at: string
            who: ({
              kind: string
              id: string
              name: string
            }) & ({
              behalf?: {
                kind: string
                id: string
                name: string
              }
            })
            subject: {
              kind: string
              id: string
            }
            before: unknown
            after: unknown
            reason: string | null
          })[]
          next_cursor?: string
        } } }
      }
    }
  }
  '/api/slipway/v1/audit/verify': {
    /** Whether the audit of this workspace is whole and unaltered */
    get: {
      parameters: { query?: { cursor?: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          ok: boolean
          /** Events that this call looked at. */
          checked: number
          broken: {
            position: number
            event_seq: number
            why: string
          } | null
          /** There is more to look at, from here. */
          next_cursor?: string
        } } }
      }
    }
  }
  '/api/slipway/v1/endpoints': {
    /** Endpoints with their wanted traffic */
    get: {
      parameters: { query?: never; path?: never }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { [media: string]: unknown } }
      }
    }
  }
  '/api/slipway/v1/endpoints/{endpoint}': {
    /** One endpoint: wanted traffic, what the nodes report, revisions with their counts */
    get: {
      parameters: { path: { endpoint: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { [media: string]: unknown } }
      }
    }
  }
  '/api/slipway/v1/endpoints/{endpoint}/predict': {
    /** Predict rows of named features */
    post: {
      parameters: { path: { endpoint: string } }
      requestBody: { content: { 'application/json': {
          rows: ({
            [key: string]: unknown
          })[]
          params?: {
            [key: string]: unknown
          }
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          prediction_id: string
          endpoint: string
          revision: string
          version: string
          /** The stable revision answered in place of a failing canary. */
          fallback: boolean
          rows: ({
            id: string
            score: number | null
            label: unknown
            output: unknown
          })[]
        } } }
      }
    }
  }
  '/api/slipway/v1/endpoints/{endpoint}/predictions': {
    /** Newest predictions of an endpoint */
    get: {
      parameters: { query?: { limit?: number }; path: { endpoint: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { [media: string]: unknown } }
      }
    }
  }
  '/api/slipway/v1/lineage': {
    /** Where a thing comes from, and what became of it */
    get: {
      parameters: { query: { kind: string; id: string; direction?: "up" | "down" | "both"; depth?: number; limit?: number } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          nodes: ({
            kind: string
            id: string
            label: string
            state?: string
            /** Negative upstream, positive downstream. */
            distance: number
            /** Its further neighbours were left out. */
            cut: boolean
          })[]
          edges: ({
            from: {
              kind: string
              id: string
            }
            to: {
              kind: string
              id: string
            }
            relation: string
            at: string
          })[]
          truncated: boolean
        } } }
      }
    }
  }
  '/api/slipway/v1/lineage/blast-radius': {
    /** What stands on a thing: counted, and those of it that serve */
    get: {
      parameters: { query: { kind: string; id: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          counts: {
            [key: string]: number
          }
          serving: ({
            kind: string
            id: string
            label: string
            state?: string
            /** Negative upstream, positive downstream. */
            distance: number
            /** Its further neighbours were left out. */
            cut: boolean
          })[]
          truncated: boolean
        } } }
      }
    }
  }
  '/api/slipway/v1/live': {
    /** Server-sent events: name, subject and order of everything that happens in the workspace */
    get: {
      parameters: { query?: never; path?: never }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { [media: string]: unknown } }
      }
    }
  }
  '/api/slipway/v1/me': {
    /** Who the caller is, where, with which rights */
    get: {
      parameters: { query?: never; path?: never }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          kind: string
          id: string
          name: string
          workspace: string
          rights: (string)[]
          workspaces: ({
            name: string
            role: "viewer" | "editor" | "admin" | null
          })[]
          dev: boolean
        } } }
      }
    }
  }
  '/api/slipway/v1/me/password': {
    /** Choose another password; every other session ends */
    put: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          old: string
          password: string
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          person: {
            id: string
            name: string
          }
          /** RFC 3339, UTC. */
          expires_at: string
        } } }
      }
    }
  }
  '/api/slipway/v1/models/{model}/versions/{version}/rows': {
    /** Attach rows (a blob that is here) to prove the compiled form on */
    post: {
      parameters: { path: { model: string; version: number } }
      requestBody: { content: { 'application/json': {
          digest: string
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { [media: string]: unknown } }
      }
    }
  }
  '/api/slipway/v1/people': {
    /** Accounts on this server, to choose members from */
    get: {
      parameters: { query?: { limit?: number; cursor?: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            id: string
            name: string
            disabled: boolean
            has_password: boolean
            /** RFC 3339, UTC. */
            created_at: string
          })[]
          next_cursor?: string
        } } }
      }
    }
    /** Make an account in this workspace; the one-time link is answered once */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          name: string
          role: "viewer" | "editor" | "admin"
        } } }
      responses: {
        201: { headers: { [name: string]: unknown }; content: { 'application/json': {
          person: {
            id: string
            name: string
            disabled: boolean
            has_password: boolean
            /** RFC 3339, UTC. */
            created_at: string
          }
          link: string
        } } }
      }
    }
  }
  '/api/slipway/v1/people/{person}': {
    /** Rename an account, lock it out or let it in again; admins of workspace default only */
    patch: {
      parameters: { path: { person: string } }
      requestBody: { content: { 'application/json': {
          name?: string
          disabled?: boolean
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          id: string
          name: string
          disabled: boolean
          has_password: boolean
          /** RFC 3339, UTC. */
          created_at: string
        } } }
      }
    }
  }
  '/api/slipway/v1/people/{person}/invitation': {
    /** Make a new one-time link for an account; admins of workspace default only */
    post: {
      parameters: { path: { person: string } }
      responses: {
        201: { headers: { [name: string]: unknown }; content: { 'application/json': {
          link: string
          /** RFC 3339, UTC. */
          expires_at: string
        } } }
      }
    }
  }
  '/api/slipway/v1/predictions/{prediction}': {
    /** One logged prediction: inputs, output, which revision answered and why */
    get: {
      parameters: { path: { prediction: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { [media: string]: unknown } }
      }
    }
  }
  '/api/slipway/v1/preparations': {
    /** Preparations of model versions: the form that serves, and why */
    get: {
      parameters: { query?: { model?: string; limit?: number } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { [media: string]: unknown } }
      }
    }
  }
  '/api/slipway/v1/sessions': {
    /** Sign in; the answer sets the session cookie */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          name: string
          password: string
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          person: {
            id: string
            name: string
          }
          /** RFC 3339, UTC. */
          expires_at: string
        } } }
      }
    }
  }
  '/api/slipway/v1/sessions/current': {
    /** Sign out */
    delete: {
      parameters: { query?: never; path?: never }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { [media: string]: unknown } }
      }
    }
  }
  '/api/slipway/v1/setup': {
    /** What a one-time link is for */
    get: {
      parameters: { query: { key: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          name: string | null
        } } }
      }
    }
    /** Follow a one-time link: choose a password, and as the first admin a name */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          key: string
          name?: string
          password: string
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          person: {
            id: string
            name: string
          }
          /** RFC 3339, UTC. */
          expires_at: string
        } } }
      }
    }
  }
  '/api/slipway/v1/tokens': {
    /** The caller's tokens in this workspace, or everybody's for an admin */
    get: {
      parameters: { query?: { limit?: number; cursor?: string; of?: "mine" | "all" } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            id: string
            name: string
            workspace: string
            rights: (string)[]
            made_by: string | null
            /** RFC 3339, UTC. */
            created_at: string
            /** RFC 3339, UTC. */
            expires_at: string
            revoked_at: string | null
            last_used_at: string | null
          })[]
          next_cursor?: string
        } } }
      }
    }
    /** Make a token with at most the own rights; the secret is answered once */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          name: string
          role?: "viewer" | "editor" | "admin" | "application"
          rights?: (string)[]
          /** RFC 3339; 90 days from now when left out. */
          expires_at?: string
        } } }
      responses: {
        201: { headers: { [name: string]: unknown }; content: { 'application/json': {
          token: {
            id: string
            name: string
            workspace: string
            rights: (string)[]
            made_by: string | null
            /** RFC 3339, UTC. */
            created_at: string
            /** RFC 3339, UTC. */
            expires_at: string
            revoked_at: string | null
            last_used_at: string | null
          }
          secret: string
        } } }
      }
    }
  }
  '/api/slipway/v1/tokens/{token}': {
    /** Revoke a token: the own ones, or any as an admin */
    delete: {
      parameters: { path: { token: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          id: string
          name: string
          workspace: string
          rights: (string)[]
          made_by: string | null
          /** RFC 3339, UTC. */
          created_at: string
          /** RFC 3339, UTC. */
          expires_at: string
          revoked_at: string | null
          last_used_at: string | null
        } } }
      }
    }
  }
  '/api/slipway/v1/workspaces': {
    /** Workspaces that the caller may enter */
    get: {
      parameters: { query?: { limit?: number; cursor?: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            name: string
            description: string
            created_at: string | null
            role: "viewer" | "editor" | "admin" | null
          })[]
          next_cursor?: string
        } } }
      }
    }
    /** Make a workspace; admins of workspace default only */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          name: string
          description?: string
        } } }
      responses: {
        201: { headers: { [name: string]: unknown }; content: { 'application/json': {
          name: string
          description: string
          created_at: string | null
          role: "viewer" | "editor" | "admin" | null
        } } }
      }
    }
  }
  '/api/slipway/v1/workspaces/{workspace}/members': {
    /** Members of a workspace and their roles */
    get: {
      parameters: { query?: { limit?: number; cursor?: string }; path: { workspace: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            workspace: string
            person: string
            name: string
            role: "viewer" | "editor" | "admin"
            /** RFC 3339, UTC. */
            since: string
          })[]
          next_cursor?: string
        } } }
      }
    }
  }
  '/api/slipway/v1/workspaces/{workspace}/members/{person}': {
    /** Give a person a role in a workspace */
    put: {
      parameters: { path: { workspace: string; person: string } }
      requestBody: { content: { 'application/json': {
          role: "viewer" | "editor" | "admin"
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          workspace: string
          person: string
          name: string
          role: "viewer" | "editor" | "admin"
          /** RFC 3339, UTC. */
          since: string
        } } }
      }
    }
    /** Take a person out of a workspace */
    delete: {
      parameters: { path: { workspace: string; person: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { [media: string]: unknown } }
      }
    }
  }
}
export interface components {
  schemas: Record<string, never>
}
