/** Nothing is written at all. Off by default; good for tests of clients, as in Kubernetes. */
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { refused } from '../pods.ts'

export function alwaysDeny(): AdmissionPlugin {
  const deny = (a: AdmissionAttributes): never => {
    throw refused(a, 'admission control is denying all modifications')
  }
  return { name: 'AlwaysDeny', hearsOfAll: true, handles: () => true, mutate: deny, validate: deny }
}
