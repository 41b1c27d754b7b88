import type { Server } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { service as healthService } from "grpc-health-check";
import { fileDescriptor } from "../../generated/sequentialid/sequential_id.descriptor.js";

/** Server reflection, v1 and v1alpha: of the public API and of the standard health service. */
export function addReflection(server: Server): void {
  const fileDescriptorProtos = [
    Buffer.from(fileDescriptor, "base64"),
    ...Object.values(healthService).flatMap((method) => method.requestType.fileDescriptorProtos),
  ];
  // The library looks at nothing but the descriptors; of its kinds of definition this one needs no codec.
  const files = { format: "Protocol Buffer 3 EnumDescriptorProto", type: {}, fileDescriptorProtos } as const;
  new ReflectionService({ files }).addToServer(server);
}
