/** Ingresses that name no class get the default one. */
import { networking } from '../../../api/index.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { newestMarked } from '../defaults.ts'

const mark = 'ingressclass.kubernetes.io/is-default-class'
const oldWay = 'kubernetes.io/ingress.class'

export function defaultIngressClass(env: Pick<ServerEnvironment, 'lister'>): AdmissionPlugin {
  const classes = env.lister(networking.ingressclasses)
  return {
    name: 'DefaultIngressClass',
    handles: (a) => a.operation === 'CREATE' && a.resource.groupResource === 'ingresses.networking.k8s.io' && a.subresource === '',
    mutate(a) {
      const ingress = a.object as unknown as networking.Ingress
      if (ingress.spec.ingressClassName !== undefined || ingress.metadata.annotations?.[oldWay] !== undefined) return ingress
      const chosen = newestMarked(classes.list(), [mark])
      return chosen ? { ...ingress, spec: { ...ingress.spec, ingressClassName: chosen.metadata.name } } : ingress
    },
  }
}
