/** The relation of EndpointSlices to Services. */
import type { discovery } from '../api/index.ts'

export const serviceNameLabel = 'kubernetes.io/service-name'

/** The informer index `service`: `namespace/name` of the service a slice belongs to. */
export const bySliceService = {
  service: (slice: discovery.EndpointSlice): readonly string[] => {
    const name = slice.metadata.labels?.[serviceNameLabel]
    return name ? [`${slice.metadata.namespace}/${name}`] : []
  },
}
