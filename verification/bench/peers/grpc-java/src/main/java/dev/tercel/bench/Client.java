package dev.tercel.bench;

import bench.echo.v1.Echo.EchoRequest;
import bench.echo.v1.Echo.EchoResponse;
import bench.echo.v1.Echo.StreamRequest;
import bench.echo.v1.EchoServiceGrpc;
import bench.echo.v1.EchoServiceGrpc.EchoServiceStub;
import com.sun.management.OperatingSystemMXBean;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.concurrent.atomic.LongAdder;

/**
 * gRPC Java's client: {@code <target> <unary|stream> <concurrency> <seconds> [<messages> <payload bytes>]}.
 *
 * <p>Each caller starts its next call when the last one has ended. One JSON line reports the calls of the measured seconds. Calls that
 * are running at the end are dropped.
 */
public final class Client {
  private static final String MESSAGE = "hello from the bench";
  private static final long WARM_UP_MS = 5000;

  private static final LongAdder done = new LongAdder();

  private static final class UnaryCaller implements StreamObserver<EchoResponse> {
    private final EchoServiceStub stub;
    private final EchoRequest request = EchoRequest.newBuilder().setMessage(MESSAGE).build();

    UnaryCaller(EchoServiceStub stub) {
      this.stub = stub;
    }

    void start() {
      stub.unary(request, this);
    }

    @Override
    public void onNext(EchoResponse response) {
      if (!response.getMessage().equals(MESSAGE)) fail("the answer is \"" + response.getMessage() + "\"");
      done.increment();
    }

    @Override
    public void onError(Throwable reason) {
      fail(reason.toString());
    }

    @Override
    public void onCompleted() {
      start();
    }
  }

  private static final class StreamCaller implements StreamObserver<EchoResponse> {
    private final EchoServiceStub stub;
    private final StreamRequest request;
    private int received;

    StreamCaller(EchoServiceStub stub, int messages, int payloadBytes) {
      this.stub = stub;
      this.request = StreamRequest.newBuilder().setCount(messages).setPayloadSize(payloadBytes).build();
    }

    void start() {
      received = 0;
      stub.serverStream(request, this);
    }

    @Override
    public void onNext(EchoResponse response) {
      if (response.getPayload().size() != request.getPayloadSize()) fail("a message has another size");
      received++;
      done.increment();
    }

    @Override
    public void onError(Throwable reason) {
      fail(reason.toString());
    }

    @Override
    public void onCompleted() {
      if (received != request.getCount()) fail("the stream ended early");
      start();
    }
  }

  /** Ends the process without a figure, because failing calls must not be measured. */
  private static void fail(String reason) {
    System.err.println(reason);
    Runtime.getRuntime().halt(1);
  }

  public static void main(String[] args) throws Exception {
    if (args.length != 4 && args.length != 6) {
      fail("usage: Client <target> <unary|stream> <concurrency> <seconds> [<messages> <payload bytes>]");
    }
    boolean isUnary = args[1].equals("unary");
    if (!isUnary && !args[1].equals("stream")) fail(args[1] + " is not a kind of call");
    int concurrency = Integer.parseInt(args[2]);
    double seconds = Double.parseDouble(args[3]);
    int messages = args.length == 6 ? Integer.parseInt(args[4]) : 1000;
    int payloadBytes = args.length == 6 ? Integer.parseInt(args[5]) : 16;
    EchoServiceStub stub =
        EchoServiceGrpc.newStub(NettyChannelBuilder.forTarget(args[0]).usePlaintext().build());
    for (int caller = 0; caller < concurrency; caller++) {
      if (isUnary) new UnaryCaller(stub).start();
      else new StreamCaller(stub, messages, payloadBytes).start();
    }

    Thread.sleep(WARM_UP_MS);
    // Reports when the CPU time of the server begins to count.
    System.out.println("{\"measuring\":true}");
    OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long startedNs = System.nanoTime();
    long cpuBeforeNs = system.getProcessCpuTime();
    long doneBefore = done.sum();
    Thread.sleep((long) (seconds * 1000));
    long counted = done.sum() - doneBefore;
    long cpuMicros = (system.getProcessCpuTime() - cpuBeforeNs) / 1000;
    double elapsed = (System.nanoTime() - startedNs) / 1e9;
    System.out.printf(
        Locale.ROOT,
        "{\"%s\":%d,\"seconds\":%.6f,\"cpuMicros\":%d}%n",
        isUnary ? "calls" : "messages",
        counted,
        elapsed,
        cpuMicros);
    System.out.flush();
    // Calls are still running.
    Runtime.getRuntime().halt(0);
  }

  private Client() {}
}
