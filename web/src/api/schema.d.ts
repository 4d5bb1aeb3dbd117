// Generated from server/openapi.json by `npm run gen`; `npm run check` compares. Do not edit.
export interface paths {
  '/api/slipway/v1/alerts': {
    /** Alerts, newest first */
    get: {
      parameters: { query?: { state?: "open" | "cleared"; endpoint?: string; limit?: number } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            id: string
            monitor: string
            endpoint: string
            name: string
            metric: string
            state: "open" | "cleared"
            threshold: number
            value: number | null
            reference: {
              value: number
              version: number
              /** Epoch milliseconds, UTC. */
              window_ms: number
            } | null
            /** Epoch milliseconds, UTC. */
            opened_window_ms: number
            cleared_window_ms: number | null
            /** Epoch milliseconds, UTC. */
            watermark_ms: number
            /** Epoch milliseconds, UTC. */
            opened_ms: number
            cleared_ms: number | null
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/alerts/{alert}/deliveries': {
    /** Deliveries of an alert to its webhook */
    get: {
      parameters: { path: { alert: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            id: string
            url: string
            state: string
            status: number | null
            words: string
            /** Epoch milliseconds, UTC. */
            at_ms: number
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/audit': {
    /** What happened, newest first */
    get: {
      parameters: { query?: { limit?: number; cursor?: string; id?: string; subject_kind?: string; subject_id?: string; who?: string; name?: string; from?: string; to?: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          next_cursor?: string
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
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
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
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/busy': {
    /** What is under way now; a replay holds while something is */
    get: {
      parameters: { query?: never; path?: never }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          parts: {
            pipeline_runs: number
            preparations: number
            releases: number
            retrainings: number
            data: number
            windows: number
            events: number
          }
          total: number
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/code': {
    /** Record a code snapshot whose files are here */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          files: ({
            path: string
            digest: string
            size_bytes: number
            executable?: boolean
          })[]
          commit?: string
          branch?: string
          dirty?: boolean
          diff?: string
        } } }
      responses: {
        201: { headers: { [name: string]: unknown }; content: { 'application/json': {
          digest: string
          commit_id: string | null
          branch: string | null
          dirty: number
          diff_digest: string | null
          file_count: number
          size_bytes: number
          manifest_digest: string
          created_by: string
          /** Epoch milliseconds, UTC. */
          created_ms: number
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/code/blobs/{digest}': {
    /** Upload the bytes of a file of a code snapshot */
    put: {
      parameters: { path: { digest: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          digest: string
          size_bytes: number
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/code/missing': {
    /** Which files of a code snapshot are not here yet */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          files: ({
            path: string
            digest: string
            size_bytes: number
            executable?: boolean
          })[]
          commit?: string
          branch?: string
          dirty?: boolean
          diff?: string
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          missing: (string)[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/code/{digest}': {
    /** One code snapshot: commit, whether the tree was clean, its files */
    get: {
      parameters: { path: { digest: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          digest: string
          commit_id: string | null
          branch: string | null
          dirty: number | boolean
          diff_digest: string | null
          file_count: number
          size_bytes: number
          manifest_digest: string
          created_by: string
          /** Epoch milliseconds, UTC. */
          created_ms: number
          files: ({
            path: string
            digest: string
            size_bytes: number
            executable?: boolean
          })[]
          commit?: string
          diff?: string
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/compatibility': {
    /** Which versions of MLflow's clients called what, what is not supported first; at most 2,000 kinds of calls */
    get: {
      parameters: { query?: never; path?: never }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            /** As it calls itself: `mlflow-python-client`, `browser`, … */
            client: string
            /** Empty when it does not say. */
            version: string
            method: string
            /** The route, or the family of paths when nothing answers there. */
            endpoint: string
            supported: boolean
            count: number
            /** RFC 3339. */
            last_seen: string
            /** What it means that it is not supported. */
            note: string | null
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/dataset-versions/{id}': {
    /** One version of a dataset by its id */
    get: {
      parameters: { path: { id: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          id: string
          name: string
          number: number
          digest: string
          format: "csv" | "parquet"
          state: "pending" | "ready" | "failed"
          failure: string | null
          verdict: "pending" | "passed" | "failed" | "none"
          column_count: number | null
          row_count: number | null
          size_bytes: number
          file_count: number
          time_column: string | null
          time_from: string | null
          time_to: string | null
          tags: {
            [key: string]: string
          }
          source: string
          reason: string | null
          who: {
            kind: string
            id: string
            name: string
          }
          /** RFC 3339, UTC. */
          created_at: string
          profiled_at: string | null
          schema: ({
            name: string
            type: string
            /** Nulls were seen. */
            nullable: boolean
          })[] | null
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/datasets': {
    /** Datasets with their latest versions */
    get: {
      parameters: { query?: { limit?: number; cursor?: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          next_cursor?: string
          items: ({
            name: string
            /** RFC 3339, UTC. */
            created_at: string
            version_count: number
            latest: {
              id: string
              name: string
              number: number
              digest: string
              format: "csv" | "parquet"
              state: "pending" | "ready" | "failed"
              failure: string | null
              verdict: "pending" | "passed" | "failed" | "none"
              column_count: number | null
              row_count: number | null
              size_bytes: number
              file_count: number
              time_column: string | null
              time_from: string | null
              time_to: string | null
              tags: {
                [key: string]: string
              }
              source: string
              reason: string | null
              who: {
                kind: string
                id: string
                name: string
              }
              /** RFC 3339, UTC. */
              created_at: string
              profiled_at: string | null
            } | null
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/datasets/uploads': {
    /** Send the bytes of one file; the answer names their digest */
    post: {
      parameters: { query?: never; path?: never }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          digest: string
          size_bytes: number
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/datasets/uploads/{digest}': {
    /** Send the bytes of one file, whose digest is checked */
    put: {
      parameters: { path: { digest: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          digest: string
          size_bytes: number
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/datasets/{name}': {
    /** One dataset */
    get: {
      parameters: { path: { name: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          name: string
          /** RFC 3339, UTC. */
          created_at: string
          version_count: number
          latest: {
            id: string
            name: string
            number: number
            digest: string
            format: "csv" | "parquet"
            state: "pending" | "ready" | "failed"
            failure: string | null
            verdict: "pending" | "passed" | "failed" | "none"
            column_count: number | null
            row_count: number | null
            size_bytes: number
            file_count: number
            time_column: string | null
            time_from: string | null
            time_to: string | null
            tags: {
              [key: string]: string
            }
            source: string
            reason: string | null
            who: {
              kind: string
              id: string
              name: string
            }
            /** RFC 3339, UTC. */
            created_at: string
            profiled_at: string | null
          } | null
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/datasets/{name}/checks': {
    /** The checks of a dataset */
    get: {
      parameters: { path: { name: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          dataset: string
          checks: ({
            check: "not_null" | "between" | "in_set" | "unique" | "regex" | "row_count" | "columns" | "freshness"
            name: string
            severity: string
          })[]
          digest: string
          who: {
            kind: string
            id: string
            name: string
          }
          set_at: string | null
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** State the checks of a dataset; its latest version is judged again */
    put: {
      parameters: { path: { name: string } }
      requestBody: { content: { 'application/json': {
          /** A list of checks; see the guide on data, or the JSON Schema of slipway.yaml. */
          checks: unknown
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          dataset: string
          checks: ({
            check: "not_null" | "between" | "in_set" | "unique" | "regex" | "row_count" | "columns" | "freshness"
            name: string
            severity: string
          })[]
          digest: string
          who: {
            kind: string
            id: string
            name: string
          }
          set_at: string | null
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/datasets/{name}/versions': {
    /** Versions of a dataset, newest first */
    get: {
      parameters: { query?: { limit?: number; cursor?: string }; path: { name: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          next_cursor?: string
          items: ({
            id: string
            name: string
            number: number
            digest: string
            format: "csv" | "parquet"
            state: "pending" | "ready" | "failed"
            failure: string | null
            verdict: "pending" | "passed" | "failed" | "none"
            column_count: number | null
            row_count: number | null
            size_bytes: number
            file_count: number
            time_column: string | null
            time_from: string | null
            time_to: string | null
            tags: {
              [key: string]: string
            }
            source: string
            reason: string | null
            who: {
              kind: string
              id: string
              name: string
            }
            /** RFC 3339, UTC. */
            created_at: string
            profiled_at: string | null
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Make a version of uploaded files; the same content again is the same version */
    post: {
      parameters: { path: { name: string } }
      requestBody: { content: { 'application/json': {
          files: ({
            path: string
            digest: string
          })[]
          tags?: {
            [key: string]: string
          }
          reason?: string
          /** The column that says when a row happened. */
          time_column?: string
          source?: string
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          version: {
            id: string
            name: string
            number: number
            digest: string
            format: "csv" | "parquet"
            state: "pending" | "ready" | "failed"
            failure: string | null
            verdict: "pending" | "passed" | "failed" | "none"
            column_count: number | null
            row_count: number | null
            size_bytes: number
            file_count: number
            time_column: string | null
            time_from: string | null
            time_to: string | null
            tags: {
              [key: string]: string
            }
            source: string
            reason: string | null
            who: {
              kind: string
              id: string
              name: string
            }
            /** RFC 3339, UTC. */
            created_at: string
            profiled_at: string | null
            schema: ({
              name: string
              type: string
              /** Nulls were seen. */
              nullable: boolean
            })[] | null
          }
          /** False when this content was a version already. */
          created: boolean
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/datasets/{name}/versions/{version}': {
    /** One version of a dataset */
    get: {
      parameters: { path: { name: string; version: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          id: string
          name: string
          number: number
          digest: string
          format: "csv" | "parquet"
          state: "pending" | "ready" | "failed"
          failure: string | null
          verdict: "pending" | "passed" | "failed" | "none"
          column_count: number | null
          row_count: number | null
          size_bytes: number
          file_count: number
          time_column: string | null
          time_from: string | null
          time_to: string | null
          tags: {
            [key: string]: string
          }
          source: string
          reason: string | null
          who: {
            kind: string
            id: string
            name: string
          }
          /** RFC 3339, UTC. */
          created_at: string
          profiled_at: string | null
          schema: ({
            name: string
            type: string
            /** Nulls were seen. */
            nullable: boolean
          })[] | null
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Delete a version that nothing stands on */
    delete: {
      parameters: { path: { name: string; version: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': { [key: string]: unknown } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Change the tags of a version */
    patch: {
      parameters: { path: { name: string; version: string } }
      requestBody: { content: { 'application/json': {
          /** null takes a tag away. */
          tags: {
            [key: string]: string | null
          }
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          id: string
          name: string
          number: number
          digest: string
          format: "csv" | "parquet"
          state: "pending" | "ready" | "failed"
          failure: string | null
          verdict: "pending" | "passed" | "failed" | "none"
          column_count: number | null
          row_count: number | null
          size_bytes: number
          file_count: number
          time_column: string | null
          time_from: string | null
          time_to: string | null
          tags: {
            [key: string]: string
          }
          source: string
          reason: string | null
          who: {
            kind: string
            id: string
            name: string
          }
          /** RFC 3339, UTC. */
          created_at: string
          profiled_at: string | null
          schema: ({
            name: string
            type: string
            /** Nulls were seen. */
            nullable: boolean
          })[] | null
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/datasets/{name}/versions/{version}/files': {
    /** The files of a version */
    get: {
      parameters: { query?: { limit?: number; cursor?: string }; path: { name: string; version: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          next_cursor?: string
          items: ({
            path: string
            digest: string
            size_bytes: number
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/datasets/{name}/versions/{version}/files/{*}': {
    /** Download one file of a version */
    get: {
      parameters: { path: { name: string; version: string; '*': string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/octet-stream': Blob } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/datasets/{name}/versions/{version}/override': {
    /** Accept a failing version as an input, with a reason */
    post: {
      parameters: { path: { name: string; version: string } }
      requestBody: { content: { 'application/json': {
          /** Why these data are fit to be used. */
          reason: string
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          id: string
          /** Id of the dataset version. */
          version: string
          dataset: string
          number: number
          state: "passed" | "failed"
          note: string | null
          checks_digest: string
          counts: {
            checks: number
            passed: number
            failed: number
            warned: number
          }
          /** RFC 3339, UTC. */
          created_at: string
          override: {
            reason: string
            who: {
              kind: string
              id: string
              name: string
            }
            /** RFC 3339, UTC. */
            at: string
          } | null
          results: ({
            name: string
            check: "not_null" | "between" | "in_set" | "unique" | "regex" | "row_count" | "columns" | "freshness"
            severity: "error" | "warn"
            passed: boolean
            expected: string
            observed: string
            evaluated: number | null
            unexpected: number | null
            unexpected_share: number | null
            missing: number | null
            error: string | null
            rows: ({
              /** From 1, over all files in the order of their paths. */
              row: number
              values: {
                [key: string]: string | number | boolean | null
              }
            })[]
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/datasets/{name}/versions/{version}/profile': {
    /** What the columns of a version hold */
    get: {
      parameters: { path: { name: string; version: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          row_count: number
          columns_left_out: number
          columns: ({
            name: string
            type: string
            kind: "number" | "time" | "text" | "boolean" | "other"
            nulls: number
            distinct: number | null
            distinct_approximate: boolean
            not_finite: number
            min: number | string | null
            max: number | string | null
            mean: number | null
            std: number | null
            quantiles: ({
              q: number
              value: number
            })[]
            quantiles_approximate: boolean
            histogram: {
              /** One more than counts; epoch milliseconds for times. */
              edges: (number)[]
              counts: (number)[]
            } | null
            top: ({
              value: string
              count: number
            })[] | null
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/datasets/{name}/versions/{version}/rows': {
    /** The first rows of a version */
    get: {
      parameters: { query?: { limit?: number }; path: { name: string; version: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          columns: ({
            name: string
            type: string
          })[]
          rows: ((number | string | boolean | null)[])[]
          truncated: boolean
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/datasets/{name}/versions/{version}/verdict': {
    /** Whether a version may be an input, and the verdict that says so */
    get: {
      parameters: { path: { name: string; version: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          /** A run may take the version as its input. */
          may: boolean
          /** Not known yet. */
          pending: boolean
          reason: string | null
          verdict: {
            id: string
            /** Id of the dataset version. */
            version: string
            dataset: string
            number: number
            state: "passed" | "failed"
            note: string | null
            checks_digest: string
            counts: {
              checks: number
              passed: number
              failed: number
              warned: number
            }
            /** RFC 3339, UTC. */
            created_at: string
            override: {
              reason: string
              who: {
                kind: string
                id: string
                name: string
              }
              /** RFC 3339, UTC. */
              at: string
            } | null
            results: ({
              name: string
              check: "not_null" | "between" | "in_set" | "unique" | "regex" | "row_count" | "columns" | "freshness"
              severity: "error" | "warn"
              passed: boolean
              expected: string
              observed: string
              evaluated: number | null
              unexpected: number | null
              unexpected_share: number | null
              missing: number | null
              error: string | null
              rows: ({
                /** From 1, over all files in the order of their paths. */
                row: number
                values: {
                  [key: string]: string | number | boolean | null
                }
              })[]
            })[]
          } | null
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/datasets/{name}/versions/{version}/verify': {
    /** Make the checks of a version again */
    post: {
      parameters: { path: { name: string; version: string } }
      responses: {
        202: { headers: { [name: string]: unknown }; content: { 'application/json': {
          verdict: string
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/deliveries/parked': {
    /** Events that could not be delivered and wait for a person, newest first, at most 200 */
    get: {
      parameters: { query?: never; path?: never }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            /** The part that could not take it. */
            subscriber: string
            /** The event, by its order in the audit. */
            seq: number
            /** What happened. */
            name: string
            attempts: number
            last_error: string | null
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/deliveries/parked/{subscriber}/{seq}/retry': {
    /** Try a parked delivery again, up to twenty times as at first */
    post: {
      parameters: { path: { subscriber: string; seq: number } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': { [key: string]: unknown } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/endpoints': {
    /** Endpoints with their wanted traffic */
    get: {
      parameters: { query?: never; path?: never }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            workspace: string
            name: string
            project: string
            model: string
            alias: string
            spec: {
              /** Registered model that the endpoint serves. */
              model: string
              /** Alias that the endpoint follows; moved only by releases. Default champion. */
              alias?: string
              /** replay takes event times from any day. */
              clock?: "wall" | "replay"
              /** A duration such as 250ms, 10s or 14d. */
              lateness?: string
              task?: "binary" | "multiclass" | "regression" | "none"
              /** Place in a prediction row that holds the score of the positive class. */
              score?: number | string
              /** Label of the positive class. */
              positive?: number | string
              /** Score from which the positive label is answered. Default 0.5. */
              threshold?: number
              /** A duration such as 250ms, 10s or 14d. */
              timeout?: string
              /** A duration such as 250ms, 10s or 14d. */
              canary_timeout?: string
              log?: "interval" | "durable"
            }
            /** Epoch milliseconds, UTC. */
            created_ms: number
            /** Epoch milliseconds, UTC. */
            updated_ms: number
            traffic: {
              endpoint: string
              routes: ({
                revision: string
                share: number
                role: "stable" | "canary"
              })[]
              release: string | null
              /** Epoch milliseconds, UTC. */
              changed_ms: number
            } | null
            watermark_ms: number | null
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/endpoints/{endpoint}': {
    /** One endpoint: wanted traffic, what the nodes report, revisions with their counts */
    get: {
      parameters: { path: { endpoint: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          workspace: string
          name: string
          project: string
          model: string
          alias: string
          spec: {
            /** Registered model that the endpoint serves. */
            model: string
            /** Alias that the endpoint follows; moved only by releases. Default champion. */
            alias?: string
            /** replay takes event times from any day. */
            clock?: "wall" | "replay"
            /** A duration such as 250ms, 10s or 14d. */
            lateness?: string
            task?: "binary" | "multiclass" | "regression" | "none"
            /** Place in a prediction row that holds the score of the positive class. */
            score?: number | string
            /** Label of the positive class. */
            positive?: number | string
            /** Score from which the positive label is answered. Default 0.5. */
            threshold?: number
            /** A duration such as 250ms, 10s or 14d. */
            timeout?: string
            /** A duration such as 250ms, 10s or 14d. */
            canary_timeout?: string
            log?: "interval" | "durable"
          }
          /** Epoch milliseconds, UTC. */
          created_ms: number
          /** Epoch milliseconds, UTC. */
          updated_ms: number
          traffic: {
            endpoint: string
            routes: ({
              revision: string
              share: number
              role: "stable" | "canary"
            })[]
            release: string | null
            /** Epoch milliseconds, UTC. */
            changed_ms: number
          } | null
          watermark_ms: number | null
          revisions: ({
            id: string
            endpoint: string
            number: number
            model: string
            version: number
            state: "wanted" | "retired"
            /** Epoch milliseconds, UTC. */
            created_ms: number
            retired_ms: number | null
            reports: ({
              revision: string
              node: string
              state: "loading" | "ready" | "failed"
              form: "onnx" | "python" | null
              reason: string | null
              load_ms: number | null
              /** Epoch milliseconds, UTC. */
              reported_ms: number
            })[]
            stats: {
              requests: number
              errors: number
              over_time: number
              stood_in: number
              latency: (number)[]
              scores: (number)[]
              last_error: string | null
              latency_p50_ms: number | null
              latency_p99_ms: number | null
              /** Epoch milliseconds, UTC. */
              since_ms: number
            } | null
          })[]
          /** Predictions that could not be logged since the start. */
          dropped: number
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/endpoints/{endpoint}/policy': {
    /** Gate, rollout and retraining rules of an endpoint */
    get: {
      parameters: { path: { endpoint: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          workspace: string
          endpoint: string
          project: string
          spec: {
            on_new_version?: "propose" | "manual"
            gate?: {
              replay?: {
                /** A duration such as 250ms, 1h or 14d. */
                last: string
                rows_max?: number
              }
              rules?: ({
                metric: "roc_auc" | "log_loss" | "accuracy" | "precision" | "recall" | "f1" | "mae" | "rmse" | "r2"
                at_least?: number
                at_most?: number
                /** The bound is on candidate minus champion, on the same rows. */
                versus?: "champion"
                /** The whole two-sided bootstrap interval at this confidence must keep the bound; without it, the measured value. */
                confidence?: number
                /** What becomes of the rule when there is nothing to judge it by. Left out, it fails. */
                no_data?: "pass"
              } | {
                /** A duration such as 250ms, 1h or 14d. */
                latency_p99: string
                /** What becomes of the rule when there is nothing to judge it by. Left out, it fails. */
                no_data?: "pass"
              } | {
                parity: "required" | "reported"
              } | {
                data_verdict: "passed"
                /** What becomes of the rule when there is nothing to judge it by. Left out, it fails. */
                no_data?: "pass"
              })[]
              evaluate_on?: {
                dataset: string
                label: string
              }
            }
            rollout?: {
              steps: ({
                share: number
                /** Requests that the canary must have been sent before the next step. Only a last step of share 1 goes without. */
                requests?: number
              })[]
              guards?: ({
                /** Largest share of requests that the canary may fail. */
                errors: number
                /** Failures below which it is not judged. Default 1. */
                at_least?: number
              } | {
                /** A duration such as 250ms, 1h or 14d. */
                latency_p99: string
              } | {
                /** Largest shift of the score distribution against the stable revision. */
                score_psi: number
              })[]
              /** A duration such as 250ms, 1h or 14d. */
              timeout?: string
            }
            retrain?: {
              /** Names of alerts. */
              on: (string)[]
              pipeline: string
              /** A duration such as 250ms, 1h or 14d. */
              cooldown?: string
              data: {
                /** A duration such as 250ms, 1h or 14d. */
                last: string
                /** A duration such as 250ms, 1h or 14d. */
                holdout?: string
                dataset: string
                /** Column that takes the label. */
                label: string
              }
            }
          }
          applied_by: {
            kind: "person" | "token" | "rule" | "run" | "system"
            id: string
            name: string
          }
          digest: string
          /** Epoch milliseconds, UTC. */
          applied_ms: number
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
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
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/endpoints/{endpoint}/predictions': {
    /** Newest predictions of an endpoint */
    get: {
      parameters: { query?: { limit?: number }; path: { endpoint: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            /** `prd_….<row>` */
            id: string
            /** Epoch milliseconds, UTC. */
            event_ms: number
            /** Epoch milliseconds, UTC. */
            at_ms: number
            latency_us: number
            status: "ok" | "error" | "fallback"
            revision: string
            version: number
            answered_by: string
            answered_version: number
            release: string | null
            key: string | null
            score: number | null
            label: string | null
            output: string | null
            error: string | null
            inputs: string | null
            features: {
              [key: string]: unknown
            }
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/endpoints/{endpoint}/releases': {
    /** Propose a model version for an endpoint */
    post: {
      parameters: { path: { endpoint: string } }
      requestBody: { content: { 'application/json': {
          version: number
          reason?: string
        } } }
      responses: {
        201: { headers: { [name: string]: unknown }; content: { 'application/json': {
          workspace: string
          id: string
          endpoint: string
          model: string
          version: number
          state: "proposed" | "checking" | "refused" | "approved" | "loading" | "canary" | "live" | "superseded" | "rolled_back"
          reason: string | null
          revision: string | null
          previous: string | null
          step: number | null
          bundle: {
            model: string
            version: number
            model_digest: string | null
            form: "onnx" | "python" | null
            run: string | null
            code: string | null
            commit: string | null
            environment: string | null
            data: ({
              id: string
              name: string
              number: number
              digest: string
            })[]
            endpoint: unknown
            previous: string | null
          } | null
          proposed_by: {
            kind: "person" | "token" | "rule" | "run" | "system"
            id: string
            name: string
          }
          /** Epoch milliseconds, UTC. */
          proposed_ms: number
          step_ms: number | null
          live_ms: number | null
          ended_ms: number | null
          verdict: {
            passed: boolean
            reason: string
          } | null
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/experiments': {
    /** Experiments with their counts of runs, newest first */
    get: {
      parameters: { query?: { folder?: string; filter?: string; view?: "active" | "deleted" | "all"; limit?: number; cursor?: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          next_cursor?: string
          items: ({
            experiment_id: string
            name: string
            artifact_location: string
            lifecycle: string
            created: string
            updated: string
            tags: ({
              key: string
              value: string
            })[]
            runs: {
              active: number
              deleted: number
              running: number
              last_started: string | null
            }
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/experiments/folders': {
    /** Folders of experiments, with how many experiments each holds */
    get: {
      parameters: { query?: never; path?: never }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            folder: string
            experiments: number
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/experiments/{experiment_id}': {
    /** An experiment */
    get: {
      parameters: { path: { experiment_id: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          experiment_id: string
          name: string
          artifact_location: string
          lifecycle: string
          created: string
          updated: string
          tags: ({
            key: string
            value: string
          })[]
          runs: {
            active: number
            deleted: number
            running: number
            last_started: string | null
          }
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Put an experiment into a folder, or take it out */
    patch: {
      parameters: { path: { experiment_id: string } }
      requestBody: { content: { 'application/json': {
          folder: string | null
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          experiment_id: string
          name: string
          artifact_location: string
          lifecycle: string
          created: string
          updated: string
          tags: ({
            key: string
            value: string
          })[]
          runs: {
            active: number
            deleted: number
            running: number
            last_started: string | null
          }
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/imports/experiments': {
    /** Take in an experiment; one of the same name that is here becomes the source's */
    put: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          /** What the importer calls the source. */
          source: string
          source_id: string
          name: string
          lifecycle: "active" | "deleted"
          created_ms: number
          updated_ms: number
          tags: ({
            key: string
            value: string
          })[]
          artifact_location?: string
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          experiment_id: string
          /** It was here before, under the same name. */
          merged: boolean
          artifact_location: string
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/imports/files': {
    /** All files below an artifact root of this server, with their digests */
    get: {
      parameters: { query: { uri: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            path: string
            digest: string
            size_bytes: number
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/imports/logged-models': {
    /** Take in logged models under the ids they have */
    put: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          experiment_id: string
          models: ({
            model_id: string
            name: string
            model_type: string
            source_run_id: string
            status: "UNSPECIFIED" | "PENDING" | "READY" | "UPLOAD_FAILED"
            created_ms: number
            updated_ms: number
            lifecycle: "active" | "deleted"
            lifecycle_before?: "active" | "deleted"
            params: ({
              key: string
              value: string
            })[]
            tags: ({
              key: string
              value: string
            })[]
            gone_tags: (string)[]
            metrics: ({
              key: string
              value: number | "NaN"
              at_ms: number | string
              step: number | string
              run_id: string
              dataset_name: string
              dataset_digest: string
            })[]
          })[]
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          created: (string)[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/imports/marks': {
    /** How far a source is taken in */
    get: {
      parameters: { query: { source: string; prefix: string; after?: string; limit?: number } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          /** There may be more behind it. */
          next_after?: string
          items: ({
            item: string
            mark: string
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Note how far a source is taken in */
    put: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          /** What the importer calls the source. */
          source: string
          marks: ({
            item: string
            mark: string
          })[]
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': { [key: string]: unknown } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/imports/models': {
    /** Take in a registered model, its versions under the numbers they have */
    put: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          name: string
          description: string | null
          created_ms: number
          updated_ms: number
          tags: ({
            key: string
            value: string
          })[]
          versions: ({
            version: number
            created_ms: number
            updated_ms: number
            stage: "None" | "Staging" | "Production" | "Archived"
            description: string | null
            source: string
            run_id: string | null
            run_link: string | null
            user_id: string | null
            logged_model_id: string | null
            tags: ({
              key: string
              value: string
            })[]
          })[]
          aliases: ({
            alias: string
            version: number
          })[]
          gone_aliases: (string)[]
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          created: boolean
          versions_created: (number)[]
          without_files: (number)[]
          conflicts: (string)[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/imports/points': {
    /** Take in metric points; those that are here already are passed over */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          parts: ({
            run_id: string
            keys: (string)[]
            key: (number)[]
            step: (number | string)[]
            at_ms: (number | string)[]
            value: (number | "NaN")[]
          })[]
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          added: number
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/imports/runs': {
    /** Take in runs under the ids they have */
    put: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          /** What the importer calls the source. */
          source: string
          experiment_id: string
          runs: ({
            run_id: string
            name: string
            user_id: string
            status: "RUNNING" | "SCHEDULED" | "FINISHED" | "FAILED" | "KILLED"
            start_ms: number
            end_ms: number | null
            lifecycle: "active" | "deleted"
            lifecycle_before?: "active" | "deleted"
            artifact_uri?: string
            params: ({
              key: string
              value: string
            })[]
            tags: ({
              key: string
              value: string
            })[]
            gone_tags: (string)[]
            inputs: ({
              dataset: {
                name: string
                digest: string
                source_type: string
                source: string
                schema?: string
                profile?: string
              }
              tags: ({
                key: string
                value: string
              })[]
            })[]
            models: ({
              direction: "input" | "output"
              model_id: string
              step: number | string
            })[]
          })[]
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          created: (string)[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/imports/state': {
    /** What is here of runs: counts and digests, to be compared with what a source holds */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          run_ids: (string)[]
          keys?: (string)[]
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            run_id: string
            experiment_id: string
            params: {
              count: number
              digest: string
            }
            tags: {
              count: number
              digest: string
            }
            inputs: number
            models: number
            metrics: ({
              key: string
              count: number
              digest: string
            })[]
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/jobs': {
    /** Jobs of the workspace, newest first */
    get: {
      parameters: { query?: { limit?: number; cursor?: string; state?: "waiting" | "running" | "done" | "failed" | "cancelled"; kind?: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          /** Absent on the last page. */
          next_cursor?: string
          items: ({
            id: string
            kind: string
            state: "waiting" | "running" | "done" | "failed" | "cancelled"
            subject: {
              kind: string
              id: string
            } | null
            who: {
              kind: "person" | "token" | "rule" | "run" | "system"
              id: string
              name: string
            }
            attempt: number
            attempts_max: number
            cancel_asked: boolean
            progress: number | null
            note: string | null
            error: {
              problem: string
              message: string
            } | null
            /** Epoch milliseconds, UTC. */
            created_ms: number
            started_ms: number | null
            ended_ms: number | null
            /** Epoch milliseconds, UTC. */
            run_at_ms: number
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/labels': {
    /** Labels of predictions, up to 1,000; durable when answered; the one observed last counts */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          labels: ({
            /** Prediction id; `prd_…` means its row 0. */
            prediction: string
            value: string | number | boolean
            /** RFC 3339; the time of arrival when left out. */
            observed_at?: string
          })[]
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          accepted: number
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
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
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
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
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/live': {
    /** Server-sent events: name, subject and order of everything that happens in the workspace */
    get: {
      parameters: { query?: never; path?: never }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'text/event-stream': string } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/logged-models': {
    /** Logged models by MLflow's filter language, newest first */
    get: {
      parameters: { query?: { experiment?: (string)[]; filter?: string; limit?: number; cursor?: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          next_cursor?: string
          items: ({
            model_id: string
            name: string
            experiment_id: string
            source_run_id: string
            model_type: string
            status: string
            created: string
            updated: string
            artifact_uri: string
            params: ({
              key: string
              value: string
            })[]
            tags: ({
              key: string
              value: string
            })[]
            metrics: ({
              key: string
              value: number | null
              step: number
              timestamp: string
            })[]
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/logged-models/{model_id}': {
    /** A logged model with its files */
    get: {
      parameters: { query?: { path?: string }; path: { model_id: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          model_id: string
          name: string
          experiment_id: string
          source_run_id: string
          model_type: string
          status: string
          created: string
          updated: string
          artifact_uri: string
          params: ({
            key: string
            value: string
          })[]
          tags: ({
            key: string
            value: string
          })[]
          metrics: ({
            key: string
            value: number | null
            step: number
            timestamp: string
          })[]
          files: ({
            path: string
            is_dir: boolean
            size_bytes?: number
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
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
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
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
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/models': {
    /** Search registered models */
    get: {
      parameters: { query?: { limit?: number; cursor?: string; filter?: string; order_by?: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          next_cursor?: string
          items: ({
            name: string
            description: string | null
            created_by: string
            created_at: string
            updated_at: string
            tags: ({
              key: string
              value: string
            })[]
            aliases: ({
              alias: string
              version: number
            })[]
            latest_versions: ({
              name: string
              version: number
              created_by: string
              created_at: string
              updated_at: string
              stage: string
              description: string | null
              source: string
              run_id: string | null
              run_link: string | null
              logged_model_id: string | null
              digest: string | null
              size_bytes: number
              file_count: number
              tags: ({
                key: string
                value: string
              })[]
              aliases: (string)[]
            })[]
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Make a registered model */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          name: string
          description?: string
          tags?: ({
            key: string
            value: string
          })[]
        } } }
      responses: {
        201: { headers: { [name: string]: unknown }; content: { 'application/json': {
          name: string
          description: string | null
          created_by: string
          created_at: string
          updated_at: string
          tags: ({
            key: string
            value: string
          })[]
          aliases: ({
            alias: string
            version: number
          })[]
          latest_versions: ({
            name: string
            version: number
            created_by: string
            created_at: string
            updated_at: string
            stage: string
            description: string | null
            source: string
            run_id: string | null
            run_link: string | null
            logged_model_id: string | null
            digest: string | null
            size_bytes: number
            file_count: number
            tags: ({
              key: string
              value: string
            })[]
            aliases: (string)[]
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/models/{model}': {
    /** A registered model with its aliases and newest versions */
    get: {
      parameters: { path: { model: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          name: string
          description: string | null
          created_by: string
          created_at: string
          updated_at: string
          tags: ({
            key: string
            value: string
          })[]
          aliases: ({
            alias: string
            version: number
          })[]
          latest_versions: ({
            name: string
            version: number
            created_by: string
            created_at: string
            updated_at: string
            stage: string
            description: string | null
            source: string
            run_id: string | null
            run_link: string | null
            logged_model_id: string | null
            digest: string | null
            size_bytes: number
            file_count: number
            tags: ({
              key: string
              value: string
            })[]
            aliases: (string)[]
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Delete a model with its versions; refused while a live release stands on it */
    delete: {
      parameters: { path: { model: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': { [key: string]: unknown } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Describe or rename a model; a rename is refused while a live release stands on it */
    patch: {
      parameters: { path: { model: string } }
      requestBody: { content: { 'application/json': {
          name?: string
          description?: string
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          name: string
          description: string | null
          created_by: string
          created_at: string
          updated_at: string
          tags: ({
            key: string
            value: string
          })[]
          aliases: ({
            alias: string
            version: number
          })[]
          latest_versions: ({
            name: string
            version: number
            created_by: string
            created_at: string
            updated_at: string
            stage: string
            description: string | null
            source: string
            run_id: string | null
            run_link: string | null
            logged_model_id: string | null
            digest: string | null
            size_bytes: number
            file_count: number
            tags: ({
              key: string
              value: string
            })[]
            aliases: (string)[]
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/models/{model}/aliases/{alias}': {
    /** Point an alias to a version; one that an endpoint follows is moved by a release */
    put: {
      parameters: { path: { model: string; alias: string } }
      requestBody: { content: { 'application/json': {
          version: number
          reason?: string
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          alias: string
          version: number
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Delete an alias */
    delete: {
      parameters: { path: { model: string; alias: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': { [key: string]: unknown } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/models/{model}/tags/{key}': {
    /** Set a tag of a model */
    put: {
      parameters: { path: { model: string; key: string } }
      requestBody: { content: { 'application/json': {
          value: string
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': { [key: string]: unknown } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Delete a tag of a model */
    delete: {
      parameters: { path: { model: string; key: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': { [key: string]: unknown } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/models/{model}/versions': {
    /** Versions of a model, newest first */
    get: {
      parameters: { query?: { limit?: number; cursor?: string }; path: { model: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          next_cursor?: string
          items: ({
            name: string
            version: number
            created_by: string
            created_at: string
            updated_at: string
            stage: string
            description: string | null
            source: string
            run_id: string | null
            run_link: string | null
            logged_model_id: string | null
            digest: string | null
            size_bytes: number
            file_count: number
            tags: ({
              key: string
              value: string
            })[]
            aliases: (string)[]
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Register a version; its files are pinned by digest */
    post: {
      parameters: { path: { model: string } }
      requestBody: { content: { 'application/json': {
          source: string
          run_id?: string
          logged_model_id?: string
          description?: string
          tags?: ({
            key: string
            value: string
          })[]
        } } }
      responses: {
        201: { headers: { [name: string]: unknown }; content: { 'application/json': {
          name: string
          version: number
          created_by: string
          created_at: string
          updated_at: string
          stage: string
          description: string | null
          source: string
          run_id: string | null
          run_link: string | null
          logged_model_id: string | null
          digest: string | null
          size_bytes: number
          file_count: number
          tags: ({
            key: string
            value: string
          })[]
          aliases: (string)[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/models/{model}/versions/{version}': {
    /** A version with its files, signature, environment, metrics and holders */
    get: {
      parameters: { path: { model: string; version: number } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': ({
          name: string
          version: number
          created_by: string
          created_at: string
          updated_at: string
          stage: string
          description: string | null
          source: string
          run_id: string | null
          run_link: string | null
          logged_model_id: string | null
          digest: string | null
          size_bytes: number
          file_count: number
          tags: ({
            key: string
            value: string
          })[]
          aliases: (string)[]
        }) & ({
          files: ({
            path: string
            digest: string
            size_bytes: number
          })[]
          signature: {
            [key: string]: unknown
          } | null
          flavors: {
            [key: string]: unknown
          } | null
          python_version: string | null
          mlflow_version: string | null
          requirements: string | null
          params: ({
            key: string
            value: string
          })[]
          metrics: ({
            key: string
            value: number | string
            step: number
          })[]
          holders: ({
            kind: string
            id: string
            reason: string
          })[]
        }) } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Delete a version; refused while a live release stands on it */
    delete: {
      parameters: { path: { model: string; version: number } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': { [key: string]: unknown } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Describe a version */
    patch: {
      parameters: { path: { model: string; version: number } }
      requestBody: { content: { 'application/json': {
          description: string
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          name: string
          version: number
          created_by: string
          created_at: string
          updated_at: string
          stage: string
          description: string | null
          source: string
          run_id: string | null
          run_link: string | null
          logged_model_id: string | null
          digest: string | null
          size_bytes: number
          file_count: number
          tags: ({
            key: string
            value: string
          })[]
          aliases: (string)[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/models/{model}/versions/{version}/explanation': {
    /** What matters to a version: mean absolute attribution per feature, and a sample of rows */
    get: {
      parameters: { path: { model: string; version: number } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          model: string
          version: number
          state: "waiting" | "done" | "failed"
          reason: string | null
          job: string | null
          /** Epoch milliseconds, UTC. */
          created_ms: number
          ended_ms: number | null
          method?: "tree" | "permutation"
          method_reason?: string | null
          space?: "probability" | "log-odds" | "value" | "log-value" | "label"
          class?: unknown
          rows?: number
          source_rows?: number
          base_value?: number
          /** Mean absolute attribution, greatest first. */
          importance?: ({
            feature: string
            value: number
          })[]
          beeswarm?: {
            features: (string)[]
            inputs: ((unknown)[])[]
            attributions: ((number)[])[]
          }
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Compute what matters to a version (again) */
    post: {
      parameters: { path: { model: string; version: number } }
      responses: {
        202: { headers: { [name: string]: unknown }; content: { 'application/json': {
          state: "waiting"
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
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
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          state: "waiting"
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/models/{model}/versions/{version}/score': {
    /** Score rows with one model version, beside all traffic: nothing is logged */
    post: {
      parameters: { path: { model: string; version: number } }
      requestBody: { content: { 'application/json': {
          /** Endpoint whose task, score and threshold are used. */
          endpoint: string
          rows: ({
            [key: string]: unknown
          })[]
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          form: "onnx" | "python"
          outputs: (unknown)[]
          scores: (number | null)[]
          labels: (unknown)[]
          /** Rows that the model refused or failed on; at most 20 are told. */
          failures: ({
            row: number
            error: string
          })[]
          failed: number
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/models/{model}/versions/{version}/tags/{key}': {
    /** Set a tag of a version */
    put: {
      parameters: { path: { model: string; version: number; key: string } }
      requestBody: { content: { 'application/json': {
          value: string
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': { [key: string]: unknown } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Delete a tag of a version */
    delete: {
      parameters: { path: { model: string; version: number; key: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': { [key: string]: unknown } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/monitors': {
    /** Monitors with their last window */
    get: {
      parameters: { query?: never; path?: never }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            workspace: string
            name: string
            project: string
            endpoint: string
            spec: {
              endpoint: string
              /** A duration such as 1h, 7d or 2w. */
              window: string
              /** A duration such as 1h, 7d or 2w. */
              every?: string
              /** A duration such as 1h, 7d or 2w. */
              label_delay?: string
              /** Labels below which quality is not judged. Default 100. */
              labels_min?: number
              metrics?: ("roc_auc" | "log_loss" | "accuracy" | "precision" | "recall" | "f1" | "mae" | "rmse" | "r2" | "latency_p99" | "error_rate" | "score_psi" | "share_of_drifted_features")[]
              drift?: {
                psi?: boolean
                ks?: boolean
                /** A feature counts as drifted above this. Default 0.2. */
                psi_above?: number
                reference?: "training"
              }
              alerts?: ({
                name: string
                metric: "roc_auc" | "log_loss" | "accuracy" | "precision" | "recall" | "f1" | "mae" | "rmse" | "r2" | "latency_p99" | "error_rate" | "score_psi" | "share_of_drifted_features"
                below?: number
                above?: number
                /** Less than the reference by this much. The reference is the first full window of the version that answers. */
                below_reference?: number
                above_reference?: number
                /** Windows in a row. Default 1. */
                for?: number
                /** How far back beyond the threshold the value must be. Default 0. */
                clear?: number
                webhook?: string
              })[]
            }
            /** Epoch milliseconds, UTC. */
            applied_ms: number
            next_ms: number | null
            /** Epoch milliseconds, UTC. */
            labels_seen_ms: number
            last_window: {
              monitor: string
              /** Epoch milliseconds, UTC. */
              start_ms: number
              /** Epoch milliseconds, UTC. */
              end_ms: number
              state: "computed" | "revised" | "dirty" | "failed"
              facts: {
                requests?: number
                rows?: number
                errors?: number
                fallbacks?: number
                labelled?: number
                /** Rows by the version that answered. */
                versions?: {
                  [key: string]: number
                }
                metrics?: {
                  [key: string]: number | null
                }
                /** Why a measure is null, and what else a reader should know. */
                words?: (string)[]
                latency_ms?: {
                  p50: number | null
                  p95: number | null
                  p99: number | null
                }
                score?: {
                  mean: number | null
                  histogram: (number)[]
                }
                positives?: number | null
                drift?: ({
                  feature: string
                  kind: string
                  psi: number | null
                  ks: number | null
                  ks_p: number | null
                  nulls: number | null
                  nulls_reference: number | null
                  bins: {
                    reference: (number)[]
                    current: (number)[]
                    names: (string)[]
                  }
                })[]
                drift_version?: number | null
                seen?: {
                  /** Epoch milliseconds, UTC. */
                  from_ms: number
                  /** Epoch milliseconds, UTC. */
                  to_ms: number
                } | null
              }
              /** Epoch milliseconds, UTC. */
              computed_ms: number
              revisions: number
            } | null
            alerts_open: number
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/monitors/{monitor}': {
    /** One monitor: its windows, oldest first, and alerts */
    get: {
      parameters: { query?: { windows?: number }; path: { monitor: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          workspace: string
          name: string
          project: string
          endpoint: string
          spec: {
            endpoint: string
            /** A duration such as 1h, 7d or 2w. */
            window: string
            /** A duration such as 1h, 7d or 2w. */
            every?: string
            /** A duration such as 1h, 7d or 2w. */
            label_delay?: string
            /** Labels below which quality is not judged. Default 100. */
            labels_min?: number
            metrics?: ("roc_auc" | "log_loss" | "accuracy" | "precision" | "recall" | "f1" | "mae" | "rmse" | "r2" | "latency_p99" | "error_rate" | "score_psi" | "share_of_drifted_features")[]
            drift?: {
              psi?: boolean
              ks?: boolean
              /** A feature counts as drifted above this. Default 0.2. */
              psi_above?: number
              reference?: "training"
            }
            alerts?: ({
              name: string
              metric: "roc_auc" | "log_loss" | "accuracy" | "precision" | "recall" | "f1" | "mae" | "rmse" | "r2" | "latency_p99" | "error_rate" | "score_psi" | "share_of_drifted_features"
              below?: number
              above?: number
              /** Less than the reference by this much. The reference is the first full window of the version that answers. */
              below_reference?: number
              above_reference?: number
              /** Windows in a row. Default 1. */
              for?: number
              /** How far back beyond the threshold the value must be. Default 0. */
              clear?: number
              webhook?: string
            })[]
          }
          /** Epoch milliseconds, UTC. */
          applied_ms: number
          next_ms: number | null
          /** Epoch milliseconds, UTC. */
          labels_seen_ms: number
          windows: ({
            monitor: string
            /** Epoch milliseconds, UTC. */
            start_ms: number
            /** Epoch milliseconds, UTC. */
            end_ms: number
            state: "computed" | "revised" | "dirty" | "failed"
            facts: {
              requests?: number
              rows?: number
              errors?: number
              fallbacks?: number
              labelled?: number
              /** Rows by the version that answered. */
              versions?: {
                [key: string]: number
              }
              metrics?: {
                [key: string]: number | null
              }
              /** Why a measure is null, and what else a reader should know. */
              words?: (string)[]
              latency_ms?: {
                p50: number | null
                p95: number | null
                p99: number | null
              }
              score?: {
                mean: number | null
                histogram: (number)[]
              }
              positives?: number | null
              drift?: ({
                feature: string
                kind: string
                psi: number | null
                ks: number | null
                ks_p: number | null
                nulls: number | null
                nulls_reference: number | null
                bins: {
                  reference: (number)[]
                  current: (number)[]
                  names: (string)[]
                }
              })[]
              drift_version?: number | null
              seen?: {
                /** Epoch milliseconds, UTC. */
                from_ms: number
                /** Epoch milliseconds, UTC. */
                to_ms: number
              } | null
            }
            /** Epoch milliseconds, UTC. */
            computed_ms: number
            revisions: number
          })[]
          alerts: ({
            id: string
            monitor: string
            endpoint: string
            name: string
            metric: string
            state: "open" | "cleared"
            threshold: number
            value: number | null
            reference: {
              value: number
              version: number
              /** Epoch milliseconds, UTC. */
              window_ms: number
            } | null
            /** Epoch milliseconds, UTC. */
            opened_window_ms: number
            cleared_window_ms: number | null
            /** Epoch milliseconds, UTC. */
            watermark_ms: number
            /** Epoch milliseconds, UTC. */
            opened_ms: number
            cleared_ms: number | null
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/overview': {
    /** The loop of each project: every stage with its state, every endpoint with what it serves */
    get: {
      parameters: { query?: never; path?: never }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          projects: ({
            project: string
            stages: ({
              stage: "Source" | "Prepare" | "Build" | "Test" | "Merge" | "Deploy" | "Monitor"
              state: "ok" | "running" | "failed" | "waiting" | "not-applicable"
              words: string
              since_ms: number | null
              link: {
                kind: string
                id: string
              } | null
            })[]
            endpoints: ({
              name: string
              model: string
              live: {
                release: string
                version: number
                since_ms: number | null
              } | null
              rolled_back: {
                release: string
                version: number
                reason: string | null
              } | null
              open: {
                release: string
                version: number
                state: string
                step: number | null
              } | null
              requests: number
              watermark_ms: number | null
              alerts_open: number
              last_window: {
                /** Epoch milliseconds, UTC. */
                start_ms: number
                metrics: {
                  [key: string]: number | null
                }
              } | null
            })[]
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/people': {
    /** Accounts on this server, to choose members from */
    get: {
      parameters: { query?: { limit?: number; cursor?: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          next_cursor?: string
          items: ({
            id: string
            name: string
            disabled: boolean
            has_password: boolean
            /** RFC 3339, UTC. */
            created_at: string
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
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
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
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
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
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
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/pipeline-runs': {
    /** Pipeline runs, newest first */
    get: {
      parameters: { query?: { limit?: number; cursor?: string; project?: string; pipeline?: string; state?: "running" | "done" | "failed" | "cancelled" } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          /** Absent on the last page. */
          next_cursor?: string
          items: ({
            id: string
            project: string
            pipeline: string
            number: number
            state: "running" | "done" | "failed" | "cancelled"
            reason: string | null
            cause: {
              kind: "manual" | "cron" | "dataset" | "event" | "retry" | "release"
              reason?: string
              cron?: string
              /** Epoch milliseconds, UTC. */
              due_ms?: number
              dataset?: string
              version?: string
              event?: string
              id?: string
              run?: string
              alert?: string
            }
            who: {
              kind: "person" | "token" | "rule" | "run" | "system"
              id: string
              name: string
            }
            code: string
            source: {
              commit: string | null
              branch: string | null
              dirty: boolean
              diff: string | null
            }
            /** Epoch milliseconds, UTC. */
            created_ms: number
            ended_ms: number | null
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/pipeline-runs/{run}': {
    /** One pipeline run with its steps */
    get: {
      parameters: { path: { run: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          id: string
          project: string
          pipeline: string
          number: number
          state: "running" | "done" | "failed" | "cancelled"
          reason: string | null
          cause: {
            kind: "manual" | "cron" | "dataset" | "event" | "retry" | "release"
            reason?: string
            cron?: string
            /** Epoch milliseconds, UTC. */
            due_ms?: number
            dataset?: string
            version?: string
            event?: string
            id?: string
            run?: string
            alert?: string
          }
          who: {
            kind: "person" | "token" | "rule" | "run" | "system"
            id: string
            name: string
          }
          code: string
          source: {
            commit: string | null
            branch: string | null
            dirty: boolean
            diff: string | null
          }
          /** Epoch milliseconds, UTC. */
          created_ms: number
          ended_ms: number | null
          spec: {
            triggers?: ({
              /** Each new version that passed its checks. */
              dataset: string
            } | {
              /** Five fields, UTC. */
              cron: string
            } | {
              /** Each event of this name. */
              event: string
            })[]
            params?: {
              [key: string]: string | number | boolean
            }
            steps: {
              [key: string]: {
                /** Command, run by sh in a copy of the code. */
                run: string
                /** Steps that must be done before. */
                needs?: (string)[]
                reads?: {
                  [key: string]: {
                    /** The triggering version, else the latest that may be an input. */
                    dataset: string
                  } | {
                    step: string
                    output: string
                  }
                }
                writes?: {
                  [key: string]: {
                    /** File or folder that the step leaves behind, relative to where it runs. */
                    path: string
                    /** Register it as the next version of this dataset. */
                    dataset?: string
                    time_column?: string
                  }
                }
                environment?: string
                params?: {
                  [key: string]: string | number | boolean
                }
                /** A duration such as 90s, 10m or 2h. */
                timeout?: string
                retries?: number
                /** A size such as 512MB or 3GiB. */
                memory?: string
                /** Take the outputs of an equal earlier step instead of running. Default true. */
                cache?: boolean
              }
            }
          }
          environments: {
            [key: string]: {
              python?: string
              lock: string
            }
          }
          params: {
            [key: string]: string | number | boolean
          }
          inputs: {
            [key: string]: string
          }
          steps: ({
            workspace: string
            id: string
            run: string
            name: string
            attempt: number
            state: "waiting" | "running" | "done" | "cached" | "failed" | "cancelled" | "skipped"
            job: string | null
            tracking_run: string | null
            cache_key: string | null
            cache_parts: {
              [key: string]: string
            }
            cache_words: string | null
            cached_from: string | null
            inputs: ({
              name: string
              digest: string
              dataset?: string
              version?: string
              number?: number
              from_step?: string
            })[]
            outputs: ({
              name: string
              digest: string
              size_bytes: number
              files: ({
                path: string
                digest: string
                size_bytes: number
              })[]
              version?: string
              dataset?: string
            })[]
            environment: string | null
            reason: string | null
            exit_code: number | null
            peak_bytes: number | null
            log_digest: string | null
            started_ms: number | null
            ended_ms: number | null
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/pipeline-runs/{run}/cancel': {
    /** Cancel a run */
    post: {
      parameters: { path: { run: string } }
      requestBody: { content: { 'application/json': {
          reason?: string
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          id: string
          project: string
          pipeline: string
          number: number
          state: "running" | "done" | "failed" | "cancelled"
          reason: string | null
          cause: {
            kind: "manual" | "cron" | "dataset" | "event" | "retry" | "release"
            reason?: string
            cron?: string
            /** Epoch milliseconds, UTC. */
            due_ms?: number
            dataset?: string
            version?: string
            event?: string
            id?: string
            run?: string
            alert?: string
          }
          who: {
            kind: "person" | "token" | "rule" | "run" | "system"
            id: string
            name: string
          }
          code: string
          source: {
            commit: string | null
            branch: string | null
            dirty: boolean
            diff: string | null
          }
          /** Epoch milliseconds, UTC. */
          created_ms: number
          ended_ms: number | null
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/pipeline-runs/{run}/retry': {
    /** Run again from the failed steps on, with the outputs of the finished ones */
    post: {
      parameters: { path: { run: string } }
      responses: {
        201: { headers: { [name: string]: unknown }; content: { 'application/json': {
          id: string
          project: string
          pipeline: string
          number: number
          state: "running" | "done" | "failed" | "cancelled"
          reason: string | null
          cause: {
            kind: "manual" | "cron" | "dataset" | "event" | "retry" | "release"
            reason?: string
            cron?: string
            /** Epoch milliseconds, UTC. */
            due_ms?: number
            dataset?: string
            version?: string
            event?: string
            id?: string
            run?: string
            alert?: string
          }
          who: {
            kind: "person" | "token" | "rule" | "run" | "system"
            id: string
            name: string
          }
          code: string
          source: {
            commit: string | null
            branch: string | null
            dirty: boolean
            diff: string | null
          }
          /** Epoch milliseconds, UTC. */
          created_ms: number
          ended_ms: number | null
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/pipelines': {
    /** Pipelines of all projects, or of one */
    get: {
      parameters: { query?: { project?: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            workspace: string
            project: string
            name: string
            spec: {
              triggers?: ({
                /** Each new version that passed its checks. */
                dataset: string
              } | {
                /** Five fields, UTC. */
                cron: string
              } | {
                /** Each event of this name. */
                event: string
              })[]
              params?: {
                [key: string]: string | number | boolean
              }
              steps: {
                [key: string]: {
                  /** Command, run by sh in a copy of the code. */
                  run: string
                  /** Steps that must be done before. */
                  needs?: (string)[]
                  reads?: {
                    [key: string]: {
                      /** The triggering version, else the latest that may be an input. */
                      dataset: string
                    } | {
                      step: string
                      output: string
                    }
                  }
                  writes?: {
                    [key: string]: {
                      /** File or folder that the step leaves behind, relative to where it runs. */
                      path: string
                      /** Register it as the next version of this dataset. */
                      dataset?: string
                      time_column?: string
                    }
                  }
                  environment?: string
                  params?: {
                    [key: string]: string | number | boolean
                  }
                  /** A duration such as 90s, 10m or 2h. */
                  timeout?: string
                  retries?: number
                  /** A size such as 512MB or 3GiB. */
                  memory?: string
                  /** Take the outputs of an equal earlier step instead of running. Default true. */
                  cache?: boolean
                }
              }
            }
            environments: {
              [key: string]: {
                python?: string
                lock: string
              }
            }
            code: string
            applied_by: {
              kind: "person" | "token" | "rule" | "run" | "system"
              id: string
              name: string
            }
            /** Epoch milliseconds, UTC. */
            created_ms: number
            /** Epoch milliseconds, UTC. */
            updated_ms: number
            last_run: {
              id: string
              project: string
              pipeline: string
              number: number
              state: "running" | "done" | "failed" | "cancelled"
              reason: string | null
              cause: {
                kind: "manual" | "cron" | "dataset" | "event" | "retry" | "release"
                reason?: string
                cron?: string
                /** Epoch milliseconds, UTC. */
                due_ms?: number
                dataset?: string
                version?: string
                event?: string
                id?: string
                run?: string
                alert?: string
              }
              who: {
                kind: "person" | "token" | "rule" | "run" | "system"
                id: string
                name: string
              }
              code: string
              source: {
                commit: string | null
                branch: string | null
                dirty: boolean
                diff: string | null
              }
              /** Epoch milliseconds, UTC. */
              created_ms: number
              ended_ms: number | null
            } | null
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/pipelines/{project}/{pipeline}': {
    /** One pipeline as last applied */
    get: {
      parameters: { path: { project: string; pipeline: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          workspace: string
          project: string
          name: string
          spec: {
            triggers?: ({
              /** Each new version that passed its checks. */
              dataset: string
            } | {
              /** Five fields, UTC. */
              cron: string
            } | {
              /** Each event of this name. */
              event: string
            })[]
            params?: {
              [key: string]: string | number | boolean
            }
            steps: {
              [key: string]: {
                /** Command, run by sh in a copy of the code. */
                run: string
                /** Steps that must be done before. */
                needs?: (string)[]
                reads?: {
                  [key: string]: {
                    /** The triggering version, else the latest that may be an input. */
                    dataset: string
                  } | {
                    step: string
                    output: string
                  }
                }
                writes?: {
                  [key: string]: {
                    /** File or folder that the step leaves behind, relative to where it runs. */
                    path: string
                    /** Register it as the next version of this dataset. */
                    dataset?: string
                    time_column?: string
                  }
                }
                environment?: string
                params?: {
                  [key: string]: string | number | boolean
                }
                /** A duration such as 90s, 10m or 2h. */
                timeout?: string
                retries?: number
                /** A size such as 512MB or 3GiB. */
                memory?: string
                /** Take the outputs of an equal earlier step instead of running. Default true. */
                cache?: boolean
              }
            }
          }
          environments: {
            [key: string]: {
              python?: string
              lock: string
            }
          }
          code: string
          applied_by: {
            kind: "person" | "token" | "rule" | "run" | "system"
            id: string
            name: string
          }
          /** Epoch milliseconds, UTC. */
          created_ms: number
          /** Epoch milliseconds, UTC. */
          updated_ms: number
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/pipelines/{project}/{pipeline}/runs': {
    /** Start a pipeline */
    post: {
      parameters: { path: { project: string; pipeline: string } }
      requestBody: { content: { 'application/json': {
          params?: {
            [key: string]: string | number | boolean
          }
          /** Dataset name to version: `name@3` or `dsv_…`. */
          inputs?: {
            [key: string]: string
          }
          cache?: boolean
          reason?: string
        } } }
      responses: {
        201: { headers: { [name: string]: unknown }; content: { 'application/json': {
          id: string
          project: string
          pipeline: string
          number: number
          state: "running" | "done" | "failed" | "cancelled"
          reason: string | null
          cause: {
            kind: "manual" | "cron" | "dataset" | "event" | "retry" | "release"
            reason?: string
            cron?: string
            /** Epoch milliseconds, UTC. */
            due_ms?: number
            dataset?: string
            version?: string
            event?: string
            id?: string
            run?: string
            alert?: string
          }
          who: {
            kind: "person" | "token" | "rule" | "run" | "system"
            id: string
            name: string
          }
          code: string
          source: {
            commit: string | null
            branch: string | null
            dirty: boolean
            diff: string | null
          }
          /** Epoch milliseconds, UTC. */
          created_ms: number
          ended_ms: number | null
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/predictions/{prediction}': {
    /** One logged prediction: inputs, output, which revision answered and why */
    get: {
      parameters: { path: { prediction: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          /** `prd_….<row>` */
          id: string
          /** Epoch milliseconds, UTC. */
          event_ms: number
          /** Epoch milliseconds, UTC. */
          at_ms: number
          latency_us: number
          status: "ok" | "error" | "fallback"
          revision: string
          version: number
          answered_by: string
          answered_version: number
          release: string | null
          key: string | null
          score: number | null
          label: string | null
          output: string | null
          error: string | null
          inputs: string | null
          features: {
            [key: string]: unknown
          }
          endpoint: string
          model?: string
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/predictions/{prediction}/explain': {
    /** Attributions of one prediction row by the version that answered; computed once, then stored */
    post: {
      parameters: { path: { prediction: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          prediction: string
          endpoint: string
          model: string
          version: number
          method: "tree" | "permutation"
          space: "probability" | "log-odds" | "value" | "log-value" | "label"
          class: unknown
          base_value: number
          output: number
          /** Largest first. `value` is the attribution, `input` what was asked. */
          attributions: ({
            feature: string
            value: number
            input: unknown
          })[]
          took_ms: number
          /** Epoch milliseconds, UTC. */
          made_ms: number
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/predictions/{prediction}/explanation': {
    /** Stored attributions of one prediction row */
    get: {
      parameters: { path: { prediction: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          prediction: string
          endpoint: string
          model: string
          version: number
          method: "tree" | "permutation"
          space: "probability" | "log-odds" | "value" | "log-value" | "label"
          class: unknown
          base_value: number
          output: number
          /** Largest first. `value` is the attribution, `input` what was asked. */
          attributions: ({
            feature: string
            value: number
            input: unknown
          })[]
          took_ms: number
          /** Epoch milliseconds, UTC. */
          made_ms: number
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/predictions/{prediction}/labels': {
    /** Labels of one prediction row, oldest first; the last counts */
    get: {
      parameters: { path: { prediction: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            /** JSON text, as it was sent. */
            value: string
            /** Epoch milliseconds, UTC. */
            observed_ms: number
            /** Epoch milliseconds, UTC. */
            received_ms: number
            who: string
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/preparations': {
    /** Preparations of model versions: the form that serves, and why */
    get: {
      parameters: { query?: { model?: string; limit?: number } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            model: string
            version: number
            state: "waiting" | "done" | "failed"
            form: "onnx" | "python" | null
            reason: string
            report: {
              [key: string]: unknown
            } | null
            compiled_digest: string | null
            job: string | null
            /** Epoch milliseconds, UTC. */
            created_ms: number
            ended_ms: number | null
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/projects': {
    /** Projects as last applied */
    get: {
      parameters: { query?: never; path?: never }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            project: string
            number: number
            digest: string
            code: string | null
            applied_by: {
              kind: "person" | "token" | "rule" | "run" | "system"
              id: string
              name: string
            }
            /** Epoch milliseconds, UTC. */
            applied_ms: number
            yaml: string
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/projects/apply': {
    /** Apply a project file: all of it, or none */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          yaml: string
          code: string
          folder?: string
          dry_run?: boolean
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          project: string
          number: number
          changes: ({
            /** `pipelines.train` */
            path: string
            change: "added" | "changed" | "removed"
          })[]
          applied: boolean
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/projects/{project}': {
    /** A project: its file as last applied, and every time it was */
    get: {
      parameters: { path: { project: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          project: string
          number: number
          digest: string
          code: string | null
          applied_by: {
            kind: "person" | "token" | "rule" | "run" | "system"
            id: string
            name: string
          }
          /** Epoch milliseconds, UTC. */
          applied_ms: number
          yaml: string
          history: ({
            project: string
            number: number
            digest: string
            code: string | null
            applied_by: {
              kind: "person" | "token" | "rule" | "run" | "system"
              id: string
              name: string
            }
            /** Epoch milliseconds, UTC. */
            applied_ms: number
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/quality/verdicts': {
    /** Verdicts, newest first */
    get: {
      parameters: { query?: { limit?: number; cursor?: string; dataset?: string; version?: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          next_cursor?: string
          items: ({
            id: string
            /** Id of the dataset version. */
            version: string
            dataset: string
            number: number
            state: "passed" | "failed"
            note: string | null
            checks_digest: string
            counts: {
              checks: number
              passed: number
              failed: number
              warned: number
            }
            /** RFC 3339, UTC. */
            created_at: string
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/quality/verdicts/{id}': {
    /** One verdict: what each check found, with failing rows */
    get: {
      parameters: { path: { id: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          id: string
          /** Id of the dataset version. */
          version: string
          dataset: string
          number: number
          state: "passed" | "failed"
          note: string | null
          checks_digest: string
          counts: {
            checks: number
            passed: number
            failed: number
            warned: number
          }
          /** RFC 3339, UTC. */
          created_at: string
          override: {
            reason: string
            who: {
              kind: string
              id: string
              name: string
            }
            /** RFC 3339, UTC. */
            at: string
          } | null
          results: ({
            name: string
            check: "not_null" | "between" | "in_set" | "unique" | "regex" | "row_count" | "columns" | "freshness"
            severity: "error" | "warn"
            passed: boolean
            expected: string
            observed: string
            evaluated: number | null
            unexpected: number | null
            unexpected_share: number | null
            missing: number | null
            error: string | null
            rows: ({
              /** From 1, over all files in the order of their paths. */
              row: number
              values: {
                [key: string]: string | number | boolean | null
              }
            })[]
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/releases': {
    /** Releases, newest first */
    get: {
      parameters: { query?: { limit?: number; cursor?: string; endpoint?: string; state?: string; model?: string; version?: number } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          /** Absent on the last page. */
          next_cursor?: string
          items: ({
            workspace: string
            id: string
            endpoint: string
            model: string
            version: number
            state: "proposed" | "checking" | "refused" | "approved" | "loading" | "canary" | "live" | "superseded" | "rolled_back"
            reason: string | null
            revision: string | null
            previous: string | null
            step: number | null
            bundle: {
              model: string
              version: number
              model_digest: string | null
              form: "onnx" | "python" | null
              run: string | null
              code: string | null
              commit: string | null
              environment: string | null
              data: ({
                id: string
                name: string
                number: number
                digest: string
              })[]
              endpoint: unknown
              previous: string | null
            } | null
            proposed_by: {
              kind: "person" | "token" | "rule" | "run" | "system"
              id: string
              name: string
            }
            /** Epoch milliseconds, UTC. */
            proposed_ms: number
            step_ms: number | null
            live_ms: number | null
            ended_ms: number | null
            verdict: {
              passed: boolean
              reason: string
            } | null
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/releases/{release}': {
    /** One release: bundle, gate verdict with intervals, decisions, live counts */
    get: {
      parameters: { path: { release: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          workspace: string
          id: string
          endpoint: string
          model: string
          version: number
          state: "proposed" | "checking" | "refused" | "approved" | "loading" | "canary" | "live" | "superseded" | "rolled_back"
          reason: string | null
          revision: string | null
          previous: string | null
          step: number | null
          bundle: {
            model: string
            version: number
            model_digest: string | null
            form: "onnx" | "python" | null
            run: string | null
            code: string | null
            commit: string | null
            environment: string | null
            data: ({
              id: string
              name: string
              number: number
              digest: string
            })[]
            endpoint: unknown
            previous: string | null
          } | null
          proposed_by: {
            kind: "person" | "token" | "rule" | "run" | "system"
            id: string
            name: string
          }
          /** Epoch milliseconds, UTC. */
          proposed_ms: number
          step_ms: number | null
          live_ms: number | null
          ended_ms: number | null
          verdict: {
            passed: boolean
            reason: string
            rules: ({
              rule: {
                [key: string]: unknown
              }
              outcome: "passed" | "failed" | "not-applicable"
              words: string
              estimate?: {
                value: number
                low: number
                high: number
                confidence: number
              }
              threshold?: number
            })[]
            measured: {
              rows: number
              compared: number
              source: "replay" | "dataset" | "none"
              source_words: string
              tainted: string | null
              drawn: {
                by: string
                count: number
              } | null
              from_ms: number | null
              to_ms: number | null
              left_out: number
              failed: number
              failure: string | null
              metrics: {
                [key: string]: {
                  candidate: {
                    value: number
                    low: number
                    high: number
                    confidence: number
                  } | null
                  champion: {
                    value: number
                    low: number
                    high: number
                    confidence: number
                  } | null
                  difference: {
                    value: number
                    low: number
                    high: number
                    confidence: number
                  } | null
                }
              }
              latency_p99_ms: number | null
              form: "onnx" | "python" | null
              form_reason: string
              data: ({
                id: string
                name: string
                number: number
                verdict: string
              })[]
              champion: {
                release: string
                version: number
              } | null
            }
            seconds: number
          } | null
          policy: {
            on_new_version?: "propose" | "manual"
            gate?: {
              replay?: {
                /** A duration such as 250ms, 1h or 14d. */
                last: string
                rows_max?: number
              }
              rules?: ({
                metric: "roc_auc" | "log_loss" | "accuracy" | "precision" | "recall" | "f1" | "mae" | "rmse" | "r2"
                at_least?: number
                at_most?: number
                /** The bound is on candidate minus champion, on the same rows. */
                versus?: "champion"
                /** The whole two-sided bootstrap interval at this confidence must keep the bound; without it, the measured value. */
                confidence?: number
                /** What becomes of the rule when there is nothing to judge it by. Left out, it fails. */
                no_data?: "pass"
              } | {
                /** A duration such as 250ms, 1h or 14d. */
                latency_p99: string
                /** What becomes of the rule when there is nothing to judge it by. Left out, it fails. */
                no_data?: "pass"
              } | {
                parity: "required" | "reported"
              } | {
                data_verdict: "passed"
                /** What becomes of the rule when there is nothing to judge it by. Left out, it fails. */
                no_data?: "pass"
              })[]
              evaluate_on?: {
                dataset: string
                label: string
              }
            }
            rollout?: {
              steps: ({
                share: number
                /** Requests that the canary must have been sent before the next step. Only a last step of share 1 goes without. */
                requests?: number
              })[]
              guards?: ({
                /** Largest share of requests that the canary may fail. */
                errors: number
                /** Failures below which it is not judged. Default 1. */
                at_least?: number
              } | {
                /** A duration such as 250ms, 1h or 14d. */
                latency_p99: string
              } | {
                /** Largest shift of the score distribution against the stable revision. */
                score_psi: number
              })[]
              /** A duration such as 250ms, 1h or 14d. */
              timeout?: string
            }
            retrain?: {
              /** Names of alerts. */
              on: (string)[]
              pipeline: string
              /** A duration such as 250ms, 1h or 14d. */
              cooldown?: string
              data: {
                /** A duration such as 250ms, 1h or 14d. */
                last: string
                /** A duration such as 250ms, 1h or 14d. */
                holdout?: string
                dataset: string
                /** Column that takes the label. */
                label: string
              }
            }
          }
          step_counts: {
            [key: string]: unknown
          }
          rollout: {
            steps: ({
              share: number
              requests?: number
            })[]
            guards: ({
              [key: string]: unknown
            })[]
          }
          previous_release: {
            workspace: string
            id: string
            endpoint: string
            model: string
            version: number
            state: "proposed" | "checking" | "refused" | "approved" | "loading" | "canary" | "live" | "superseded" | "rolled_back"
            reason: string | null
            revision: string | null
            previous: string | null
            step: number | null
            bundle: {
              model: string
              version: number
              model_digest: string | null
              form: "onnx" | "python" | null
              run: string | null
              code: string | null
              commit: string | null
              environment: string | null
              data: ({
                id: string
                name: string
                number: number
                digest: string
              })[]
              endpoint: unknown
              previous: string | null
            } | null
            proposed_by: {
              kind: "person" | "token" | "rule" | "run" | "system"
              id: string
              name: string
            }
            /** Epoch milliseconds, UTC. */
            proposed_ms: number
            step_ms: number | null
            live_ms: number | null
            ended_ms: number | null
            verdict: {
              passed: boolean
              reason: string
            } | null
          } | null
          decisions: ({
            position: number
            state: "proposed" | "checking" | "refused" | "approved" | "loading" | "canary" | "live" | "superseded" | "rolled_back"
            words: string
            facts: {
              [key: string]: unknown
            }
            who: {
              kind: "person" | "token" | "rule" | "run" | "system"
              id: string
              name: string
            }
            /** Epoch milliseconds, UTC. */
            at_ms: number
            watermark_ms: number | null
          })[]
          counts: {
            [key: string]: unknown
          } | null
          stable_counts: {
            [key: string]: unknown
          } | null
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/releases/{release}/refuse': {
    /** Refuse a candidate that is not live yet */
    post: {
      parameters: { path: { release: string } }
      requestBody: { content: { 'application/json': {
          reason: string
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          workspace: string
          id: string
          endpoint: string
          model: string
          version: number
          state: "proposed" | "checking" | "refused" | "approved" | "loading" | "canary" | "live" | "superseded" | "rolled_back"
          reason: string | null
          revision: string | null
          previous: string | null
          step: number | null
          bundle: {
            model: string
            version: number
            model_digest: string | null
            form: "onnx" | "python" | null
            run: string | null
            code: string | null
            commit: string | null
            environment: string | null
            data: ({
              id: string
              name: string
              number: number
              digest: string
            })[]
            endpoint: unknown
            previous: string | null
          } | null
          proposed_by: {
            kind: "person" | "token" | "rule" | "run" | "system"
            id: string
            name: string
          }
          /** Epoch milliseconds, UTC. */
          proposed_ms: number
          step_ms: number | null
          live_ms: number | null
          ended_ms: number | null
          verdict: {
            passed: boolean
            reason: string
          } | null
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/releases/{release}/rollback': {
    /** Roll a release back: end its rollout, or restore the bundle before it */
    post: {
      parameters: { path: { release: string } }
      requestBody: { content: { 'application/json': {
          reason: string
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          workspace: string
          id: string
          endpoint: string
          model: string
          version: number
          state: "proposed" | "checking" | "refused" | "approved" | "loading" | "canary" | "live" | "superseded" | "rolled_back"
          reason: string | null
          revision: string | null
          previous: string | null
          step: number | null
          bundle: {
            model: string
            version: number
            model_digest: string | null
            form: "onnx" | "python" | null
            run: string | null
            code: string | null
            commit: string | null
            environment: string | null
            data: ({
              id: string
              name: string
              number: number
              digest: string
            })[]
            endpoint: unknown
            previous: string | null
          } | null
          proposed_by: {
            kind: "person" | "token" | "rule" | "run" | "system"
            id: string
            name: string
          }
          /** Epoch milliseconds, UTC. */
          proposed_ms: number
          step_ms: number | null
          live_ms: number | null
          ended_ms: number | null
          verdict: {
            passed: boolean
            reason: string
          } | null
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/retrainings': {
    /** Retrainings: what began them, what they used, why one was skipped */
    get: {
      parameters: { query?: { endpoint?: string; limit?: number } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            id: string
            endpoint: string
            alert: string
            state: "collecting" | "training" | "skipped" | "failed" | "done"
            reason: string | null
            evidence: {
              [key: string]: unknown
            }
            dataset: string | null
            dataset_version: string | null
            pipeline_run: string | null
            release_id: string | null
            from_ms: number | null
            to_ms: number | null
            /** Epoch milliseconds, UTC. */
            watermark_ms: number
            /** Epoch milliseconds, UTC. */
            created_ms: number
            ended_ms: number | null
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/run-views': {
    /** Saved views of the run table, by name */
    get: {
      parameters: { query?: { experiment?: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            id: string
            name: string
            experiments: (string)[]
            state: {
              [key: string]: unknown
            }
            by: string
            updated: string
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Save a view of the run table */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          name: string
          experiments: (string)[]
          state: {
            [key: string]: unknown
          }
        } } }
      responses: {
        201: { headers: { [name: string]: unknown }; content: { 'application/json': {
          id: string
          name: string
          experiments: (string)[]
          state: {
            [key: string]: unknown
          }
          by: string
          updated: string
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/run-views/{view_id}': {
    /** A saved view of the run table */
    get: {
      parameters: { path: { view_id: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          id: string
          name: string
          experiments: (string)[]
          state: {
            [key: string]: unknown
          }
          by: string
          updated: string
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Change a saved view of the run table */
    put: {
      parameters: { path: { view_id: string } }
      requestBody: { content: { 'application/json': {
          name: string
          experiments: (string)[]
          state: {
            [key: string]: unknown
          }
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          id: string
          name: string
          experiments: (string)[]
          state: {
            [key: string]: unknown
          }
          by: string
          updated: string
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Delete a saved view of the run table */
    delete: {
      parameters: { path: { view_id: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': { [key: string]: unknown } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs': {
    /** Runs by MLflow's filter language, newest first */
    get: {
      parameters: { query?: { experiment?: (string)[]; filter?: string; order_by?: (string)[]; view?: "active" | "deleted" | "all"; limit?: number; cursor?: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          next_cursor?: string
          items: ({
            run_id: string
            name: string
            experiment_id: string
            user: string
            status: string
            started: string
            ended: string | null
            duration_ms: number | null
            lifecycle: string
            metrics: ({
              key: string
              value: number | null
              step: number
              timestamp: string
            })[]
            params: ({
              key: string
              value: string
            })[]
            tags: ({
              key: string
              value: string
            })[]
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/charts': {
    /** Metric series of several runs for drawing, a part of the axis at a time, thinned out with every extreme kept */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          run_ids: (string)[]
          keys: (string)[]
          /** About how many points of each series */
          points?: number
          /** Steps, epoch milliseconds, or milliseconds since the start of the run */
          x?: "step" | "time" | "relative"
          from?: number
          to?: number
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          series: ({
            run_id: string
            key: string
            count: number
            step: (number)[]
            timestamp_ms: (number)[]
            value: (number | null)[]
          })[]
          runs: ({
            run_id: string
            name: string
            status: string
            start_ms: number
          })[]
          left_out: ({
            run_id: string
            key: string
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/columns': {
    /** Metric, param and tag keys of the runs of some experiments, with how many runs have each */
    get: {
      parameters: { query: { experiment: (string)[]; kind?: "metric" | "param" | "tag"; q?: string; limit?: number; cursor?: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          next_cursor?: string
          items: ({
            kind: "metric" | "param" | "tag"
            key: string
            runs: number
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/compare': {
    /** Params, latest metrics and tags of up to 500 runs side by side, with what differs */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          run_ids: (string)[]
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          runs: ({
            run_id: string
            experiment_id: string
            name: string
            status: string
            user: string
            start_time: string
            end_time: string | null
            parent_run_id?: string
            lifecycle: string
            values?: (number | string | null)[]
          })[]
          params: ({
            key: string
            differs: boolean
            values: (number | string | null)[]
          })[]
          metrics: ({
            key: string
            differs: boolean
            values: (number | string | null)[]
          })[]
          tags: ({
            key: string
            differs: boolean
            values: (number | string | null)[]
          })[]
          left_out: number
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/copy': {
    /** Copy runs with all that was logged to them into an experiment, all or none */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          run_ids: (string)[]
          to_experiment: string
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          experiment_id: string
          runs: ({
            from: string
            run_id: string
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/move': {
    /** Move runs to another experiment, all or none; their artifacts stay where they are */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          run_ids: (string)[]
          to_experiment: string
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          moved: number
          experiment_id: string
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/table': {
    /** A page of the run table: chosen columns, any filter and order, or groups with mean, least and greatest */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          experiments: (string)[]
          filter?: string
          view?: "active" | "deleted" | "all"
          order_by?: (string)[]
          columns?: (string)[]
          group_by?: (string)[]
          limit?: number
          offset?: number
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          total: number
          total_capped: boolean
          rows?: ({
            run_id: string
            experiment_id: string
            name: string
            status: string
            user: string
            start_time: string
            end_time: string | null
            parent_run_id?: string
            lifecycle: string
            values: (number | string | null)[]
          })[]
          groups?: ({
            key: (number | string | null)[]
            runs: number
            aggregates: ({
              mean: number
              min: number
              max: number
            } | null)[]
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/table.csv': {
    /** The run table as CSV; cells that a spreadsheet would run are quoted with an apostrophe */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          experiments: (string)[]
          filter?: string
          view?: "active" | "deleted" | "all"
          order_by?: (string)[]
          columns?: (string)[]
          group_by?: (string)[]
          limit?: number
          offset?: number
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'text/csv': string } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/{run_id}': {
    /** A run with all that its page needs */
    get: {
      parameters: { path: { run_id: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          run_id: string
          name: string
          experiment_id: string
          user: string
          status: string
          started: string
          ended: string | null
          duration_ms: number | null
          lifecycle: string
          metrics: ({
            key: string
            value: number | null
            step: number
            timestamp: string
          })[]
          params: ({
            key: string
            value: string
          })[]
          tags: ({
            key: string
            value: string
          })[]
          experiment: {
            experiment_id: string
            name: string
            lifecycle: string
          }
          artifact_uri: string
          description: string | null
          inputs: ({
            name: string
            digest: string
            source_type: string
            source: string
            context: string | null
            dataset_version: string | null
          })[]
          models: ({
            model_id: string
            name: string
            experiment_id: string
            source_run_id: string
            model_type: string
            status: string
            created: string
            updated: string
            artifact_uri: string
            params: ({
              key: string
              value: string
            })[]
            tags: ({
              key: string
              value: string
            })[]
            metrics: ({
              key: string
              value: number | null
              step: number
              timestamp: string
            })[]
            direction: string
            step: number
          })[]
          artifacts: ({
            path: string
            is_dir: boolean
            size_bytes?: number
          })[]
          parent: {
            run_id: string
            name: string
            experiment_id: string
            user: string
            status: string
            started: string
            ended: string | null
            duration_ms: number | null
            lifecycle: string
          } | null
          children: ({
            run_id: string
            name: string
            experiment_id: string
            user: string
            status: string
            started: string
            ended: string | null
            duration_ms: number | null
            lifecycle: string
          })[]
          step_run: string | null
          environment: {
            source_name: string | null
            source_type: string | null
            git_commit: string | null
            python_version: string | null
            requirements: (string)[]
            from_model: string | null
          }
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Delete a run; it can be restored */
    delete: {
      parameters: { path: { run_id: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': { [key: string]: unknown } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/{run_id}/artifacts': {
    /** One folder of a run's artifacts */
    get: {
      parameters: { query?: { path?: string }; path: { run_id: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            path: string
            is_dir: boolean
            size_bytes?: number
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/{run_id}/artifacts/file': {
    /** The bytes of one of a run's artifacts, always as a download */
    get: {
      parameters: { query: { path: string }; path: { run_id: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { '*/*': Blob } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/{run_id}/artifacts/page': {
    /** An HTML artifact as a page without any origin: it reaches neither cookies nor storage nor any server */
    get: {
      parameters: { query: { path: string }; path: { run_id: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'text/html': string } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/{run_id}/artifacts/table': {
    /** Rows of a Parquet artifact */
    get: {
      parameters: { query: { path: string; limit?: number; offset?: number }; path: { run_id: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          columns: ({
            name: string
            type: string
          })[]
          rows: ((null | boolean | number | string)[])[]
          /** Rows of the file. */
          total: number
          columns_left_out: (string)[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/{run_id}/export/{file}': {
    /** A run's exact packages as requirements.txt, conda.yaml or Dockerfile */
    get: {
      parameters: { path: { run_id: string; file: "requirements.txt" | "conda.yaml" | "Dockerfile" } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'text/plain': string } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/{run_id}/live': {
    /** Server-sent events of a run: ready, metrics with new points, run when its status changes */
    get: {
      parameters: { path: { run_id: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'text/event-stream': string } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/{run_id}/metrics': {
    /** A run's metric series for drawing, thinned out with every extreme kept */
    get: {
      parameters: { query?: { x?: "step" | "time" | "relative"; from?: number; to?: number; keys?: string; points?: number }; path: { run_id: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          series: ({
            key: string
            count: number
            step: (number)[]
            timestamp_ms: (number)[]
            value: (number | null)[]
          })[]
          left_out: (string)[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/{run_id}/record': {
    /** What it takes to make a run again, and what nobody recorded */
    get: {
      parameters: { path: { run_id: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          sections: ({
            name: string
            items: ({
              name: string
              value: string | null
              from: string | null
              remedy: string | null
            })[]
          })[]
          python_version: string | null
          packages: {
            lines: (string)[]
            from: string | null
          }
          /** Things that nobody recorded and that could have been. */
          missing: number
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/{run_id}/restore': {
    /** Bring a deleted run back */
    post: {
      parameters: { path: { run_id: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': { [key: string]: unknown } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/{run}/board': {
    /** Histograms, texts and images of a run: their tags */
    get: {
      parameters: { path: { run: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            kind: "histogram" | "text" | "image"
            tag: string
            records: number
            first_step: number
            last_step: number
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/{run}/board/images/{digest}': {
    /** The bytes of an image that the run shows */
    get: {
      parameters: { path: { run: string; digest: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'image/png': Blob } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/runs/{run}/board/records': {
    /** Histograms, texts or images under one tag, by step */
    get: {
      parameters: { query: { kind: "histogram" | "text" | "image"; tag: string; limit?: number; cursor?: string }; path: { run: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          next_cursor?: string
          items: ({
            step: number
            /** When it was logged, RFC 3339. */
            at: string
            buckets?: ([number, number, number])[]
            text?: string
            /** Digest of the image; its bytes are at `…/board/images/{digest}`. */
            image?: string
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/search': {
    /** Find things by name or id */
    get: {
      parameters: { query: { q: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            kind: string
            id: string
            label: string
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
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
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/sessions/current': {
    /** Sign out */
    delete: {
      parameters: { query?: never; path?: never }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': { [key: string]: unknown } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
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
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
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
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/steps/{step}': {
    /** One step: inputs, outputs, cache, how it ended */
    get: {
      parameters: { path: { step: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          workspace: string
          id: string
          run: string
          name: string
          attempt: number
          state: "waiting" | "running" | "done" | "cached" | "failed" | "cancelled" | "skipped"
          job: string | null
          tracking_run: string | null
          cache_key: string | null
          cache_parts: {
            [key: string]: string
          }
          cache_words: string | null
          cached_from: string | null
          inputs: ({
            name: string
            digest: string
            dataset?: string
            version?: string
            number?: number
            from_step?: string
          })[]
          outputs: ({
            name: string
            digest: string
            size_bytes: number
            files: ({
              path: string
              digest: string
              size_bytes: number
            })[]
            version?: string
            dataset?: string
          })[]
          environment: string | null
          reason: string | null
          exit_code: number | null
          peak_bytes: number | null
          log_digest: string | null
          started_ms: number | null
          ended_ms: number | null
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/steps/{step}/log': {
    /** The log of a step from an offset on, or followed live with follow=true */
    get: {
      parameters: { query?: { offset?: number; follow?: boolean }; path: { step: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          text: string
          next_offset: number
          /** All was read, and the step has ended. */
          ended: boolean
        }; 'text/event-stream': {
          text: string
          next_offset: number
          /** All was read, and the step has ended. */
          ended: boolean
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/tensorboard/files': {
    /** Event files of an experiment, as far as they are taken in */
    get: {
      parameters: { query: { experiment: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            folder: string
            file: string
            run_id: string
            taken_bytes: number
            damage: string | null
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Send the next bytes of an event file; whole records are taken in, the rest waits for its end */
    put: {
      parameters: { query: { experiment: string; folder: string; file: string; from: number } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          run_id: string
          /** Of the file: send those behind next. */
          taken_bytes: number
          points: number
          records: number
          /** Values of kinds that are not taken in. */
          passed_over: {
            [key: string]: number
          }
          /** Why the file is read no further. */
          damage?: string
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/tensorboard/finish': {
    /** End the run of a folder of which no more is expected */
    post: {
      parameters: { query?: never; path?: never }
      requestBody: { content: { 'application/json': {
          experiment: string
          folder: string
        } } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': { [key: string]: unknown } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/tokens': {
    /** The caller's tokens in this workspace, or everybody's for an admin */
    get: {
      parameters: { query?: { limit?: number; cursor?: string; of?: "mine" | "all" } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          next_cursor?: string
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
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
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
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
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
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/webhooks': {
    /** Webhooks of the workspace, in the order in which they were made; never their secrets */
    get: {
      parameters: { query?: never; path?: never }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            id: string
            name: string
            description: string | null
            url: string
            topics: (string)[]
            active: boolean
            created_at: string
            updated_at: string
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/webhooks/secret': {
    /** The secret that the webhooks of this workspace are signed with (Standard Webhooks) */
    get: {
      parameters: { query?: never; path?: never }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          /** whsec_… */
          secret: string
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/webhooks/{webhook}/messages': {
    /** What was sent to one webhook of late, newest first, at most 200 */
    get: {
      parameters: { path: { webhook: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          items: ({
            /** As the receiver read it in `X-MLflow-Delivery-Id`. */
            id: string
            topic: string
            state: "waiting" | "delivered" | "failed"
            attempts: number
            /** HTTP status of the last answer. */
            status: number | null
            words: string | null
            made_at: string
            updated_at: string
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/why/{prediction}': {
    /** Why this prediction: request, features, version, release, run, code, data, label */
    get: {
      parameters: { path: { prediction: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          prediction: {
            [key: string]: unknown
          }
          label: {
            value: string
            /** Epoch milliseconds, UTC. */
            observed_ms: number
          } | null
          endpoint: {
            name: string
            model: string
          }
          release: {
            [key: string]: unknown
          } | null
          version: {
            [key: string]: unknown
          } | null
          preparation: {
            [key: string]: unknown
          } | null
          run: string | null
          code: {
            [key: string]: unknown
          } | null
          environment: string | null
          data: ({
            [key: string]: unknown
          })[]
          attributions: {
            [key: string]: unknown
          } | null
          parts_missing: ({
            part: string
            words: string
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/workspaces': {
    /** Workspaces that the caller may enter */
    get: {
      parameters: { query?: { limit?: number; cursor?: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          next_cursor?: string
          items: ({
            name: string
            description: string
            created_at: string | null
            role: "viewer" | "editor" | "admin" | null
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
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
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
  '/api/slipway/v1/workspaces/{workspace}/members': {
    /** Members of a workspace and their roles */
    get: {
      parameters: { query?: { limit?: number; cursor?: string }; path: { workspace: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': {
          next_cursor?: string
          items: ({
            workspace: string
            person: string
            name: string
            role: "viewer" | "editor" | "admin"
            /** RFC 3339, UTC. */
            since: string
          })[]
        } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
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
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
    /** Take a person out of a workspace */
    delete: {
      parameters: { path: { workspace: string; person: string } }
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': { [key: string]: unknown } } }
        431: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
        default: { headers: { [name: string]: unknown }; content: { 'application/problem+json': components['schemas']['Problem'] } }
      }
    }
  }
}
export interface components {
  schemas: {
    Problem: {
      type: string
      title: string
      status: number
      detail: string
      field?: string
      remedy?: string
      facts?: { [key: string]: unknown }
      request_id: string
    }
    MlflowDatasetInput: {
      dataset: {
        name: string
        digest: string
        source_type: string
        source: string
        schema?: string
        profile?: string
      }
      tags?: (components['schemas']['MlflowKeyValue'])[]
    }
    MlflowExperiment: {
      experiment_id: string
      name: string
      artifact_location: string
      lifecycle_stage: "active" | "deleted"
      /** Epoch milliseconds. */
      last_update_time: number
      /** Epoch milliseconds. */
      creation_time: number
      tags: (components['schemas']['MlflowKeyValue'])[]
    }
    MlflowFileInfo: {
      path: string
      is_dir: boolean
      file_size?: number
    }
    MlflowKeyValue: {
      key: string
      value: string
    }
    MlflowLoggedModel: {
      info: {
        model_id: string
        experiment_id: string
        name: string
        /** Epoch milliseconds. */
        creation_timestamp_ms: number
        /** Epoch milliseconds. */
        last_updated_timestamp_ms: number
        artifact_uri: string
        status: components['schemas']['MlflowModelStatus']
        model_type?: string
        source_run_id?: string
        tags: (components['schemas']['MlflowKeyValue'])[]
      }
      data: {
        params: (components['schemas']['MlflowKeyValue'])[]
        metrics: ({
          key: string
          value: number | "NaN" | "Infinity" | "-Infinity"
          timestamp: number
          step: number
          model_id: string
          run_id: string
          dataset_name?: string
          dataset_digest?: string
        })[]
      }
    }
    MlflowMetric: {
      key: string
      value: number | "NaN" | "Infinity" | "-Infinity"
      timestamp: number
      step: number
    }
    MlflowMetricEntry: {
      key: string
      value: number | "NaN" | "Infinity" | "-Infinity"
      timestamp: number
      step?: number
      model_id?: string
      dataset_name?: string
      dataset_digest?: string
    }
    MlflowError: {
      error_code: string
      message: string
    }
    MlflowModelStatus: "LOGGED_MODEL_STATUS_UNSPECIFIED" | "LOGGED_MODEL_PENDING" | "LOGGED_MODEL_READY" | "LOGGED_MODEL_UPLOAD_FAILED"
    MlflowModelVersion: {
      name: string
      version: string
      /** Epoch milliseconds. */
      creation_timestamp: number
      /** Epoch milliseconds. */
      last_updated_timestamp: number
      user_id: string
      current_stage: string
      description?: string
      source: string
      run_id?: string
      run_link?: string
      status: string
      tags: (components['schemas']['MlflowKeyValue'])[]
      aliases: (string)[]
      model_id?: string
      model_params?: ({
        name: string
        value: string
      })[]
      model_metrics?: ({
        key: string
        value: number | "NaN" | "Infinity" | "-Infinity"
        timestamp: number
        step: number
        model_id: string
        run_id: string
        dataset_name?: string
        dataset_digest?: string
      })[]
    }
    MlflowRegisteredModel: {
      name: string
      /** Epoch milliseconds. */
      creation_timestamp: number
      /** Epoch milliseconds. */
      last_updated_timestamp: number
      user_id: string
      description?: string
      latest_versions: (components['schemas']['MlflowModelVersion'])[]
      tags: (components['schemas']['MlflowKeyValue'])[]
      aliases: ({
        alias: string
        version: string
      })[]
    }
    MlflowRun: {
      info: components['schemas']['MlflowRunInfo']
      data: {
        metrics: (components['schemas']['MlflowMetric'])[]
        params: (components['schemas']['MlflowKeyValue'])[]
        tags: (components['schemas']['MlflowKeyValue'])[]
      }
      inputs: {
        dataset_inputs: (components['schemas']['MlflowDatasetInput'])[]
        model_inputs: ({
          model_id: string
        })[]
      }
      outputs: {
        model_outputs: ({
          model_id: string
          step: number
        })[]
      }
    }
    MlflowRunInfo: {
      run_id: string
      run_uuid: string
      experiment_id: string
      run_name: string
      user_id: string
      status: string
      /** Epoch milliseconds. */
      start_time: number
      /** Epoch milliseconds. */
      end_time?: number
      artifact_uri: string
      lifecycle_stage: "active" | "deleted"
    }
    MlflowWebhook: {
      webhook_id: string
      name: string
      url: string
      events: ({
        entity: string
        action: string
      })[]
      status: string
      description?: string
      /** Epoch milliseconds. */
      creation_timestamp: number
      /** Epoch milliseconds. */
      last_updated_timestamp: number
    }
    MlflowWorkspace: {
      name: string
      description?: string
    }
  }
}
