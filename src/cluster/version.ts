/** Skiff's own version; what it speaks is Kubernetes v1.36. */
export const version = '0.1.0'
