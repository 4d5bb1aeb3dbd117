/**
 * Our own dataset versions in the `source` that a client logs: `slipway://dataset-version/dsv_…`, as steps say it, or an
 * address of our API that ends in `/dataset-versions/dsv_…`, which `mlflow.data` takes as a source as it stands.
 */
const SOURCE = /(?:slipway:\/\/dataset-version|\/api\/slipway\/v1\/dataset-versions)\/(dsv_[0-9a-f]{32})\b/

/** The id of the dataset version that a source names; undefined when it names none of ours. */
export const datasetVersionOf = (source: string): string | undefined => SOURCE.exec(source)?.[1]
