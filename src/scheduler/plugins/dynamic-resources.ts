import { refuseForGood } from '../plugin.ts'
import type { Plugin } from '../plugin.ts'

/** Devices by resource claims need drivers on the nodes, which Skiff does not speak to: such pods wait, and are told why. */
export const dynamicResources: Plugin = {
  name: 'DynamicResources',
  filter({ pod }) {
    const claims = pod.spec.resourceClaims ?? []
    return claims.length ? refuseForGood('DynamicResources', `pod needs resource claims (${claims.map((c) => c.name).join(', ')}), and dynamic resource allocation is not supported`) : undefined
  },
}
