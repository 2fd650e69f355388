/** Services get no further external addresses: whoever may write services could otherwise draw traffic for any address (CVE-2020-8554). Off by default. */
import type { core } from '../../../api/index.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { refused } from '../pods.ts'

const addressesOf = (service: unknown): readonly string[] => (service as core.Service | undefined)?.spec.externalIPs ?? []

export function denyServiceExternalIPs(): AdmissionPlugin {
  return {
    name: 'DenyServiceExternalIPs',
    handles: (a) => a.resource.groupResource === 'services' && a.subresource === '' && (a.operation === 'CREATE' || a.operation === 'UPDATE'),
    validate(a) {
      const before = addressesOf(a.old)
      if (addressesOf(a.object).some((address) => !before.includes(address))) throw refused(a, 'Use of external IPs is denied by admission control')
    },
  }
}
