/** The devices that TensorFlow has. */

/** A device of a session. */
export interface Device {
  /** The full name: `/job:localhost/replica:0/task:0/device:CPU:0`. */
  name: string;
  /** `CPU`, `GPU`, … */
  type: string;
  /** TensorFlow's memory limit for the device, in bytes. */
  memoryBytes: number;
}
