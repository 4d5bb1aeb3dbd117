/** Apart from the schemas: the store's threads read these, and need no library of schemas, which takes megabytes in each. */
export const TABLE_LIMITS = {
  experiments: 100,
  columns: 200,
  order_by: 5,
  group_by: 3,
  rows: 1000,
  offset: 1_000_000,
  csv_rows: 200_000,
  compare_runs: 500,
  compare_cells: 500_000,
  move_runs: 500,
  view_state_bytes: 32 * 1024,
  views: 1000,
} as const
