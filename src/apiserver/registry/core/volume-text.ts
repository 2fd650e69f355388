/** How volumes and claims are shown. */
const short: Readonly<Record<string, string>> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' }

/** `RWO,ROX`: in the order in which Kubernetes always lists them. */
export const modesText = (modes: readonly string[] | undefined): string =>
  Object.entries(short).filter(([mode]) => modes?.includes(mode)).map(([, text]) => text).join(',')

export const classAnnotation = 'volume.beta.kubernetes.io/storage-class'
