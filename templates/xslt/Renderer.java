import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Reader;
import java.io.StringReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.Permission;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.xml.parsers.SAXParserFactory;
import javax.xml.transform.ErrorListener;
import javax.xml.transform.Source;
import javax.xml.transform.SourceLocator;
import javax.xml.transform.TransformerException;
import javax.xml.transform.sax.SAXSource;
import net.sf.saxon.Configuration;
import net.sf.saxon.lib.FeatureKeys;
import net.sf.saxon.s9api.MessageListener;
import net.sf.saxon.s9api.Processor;
import net.sf.saxon.s9api.QName;
import net.sf.saxon.s9api.SaxonApiException;
import net.sf.saxon.s9api.Serializer;
import net.sf.saxon.s9api.XdmNode;
import net.sf.saxon.s9api.XsltCompiler;
import net.sf.saxon.s9api.XsltExecutable;
import net.sf.saxon.s9api.XsltTransformer;
import net.sf.saxon.trans.XPathException;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;
import org.xml.sax.XMLReader;
import org.xml.sax.ext.EntityResolver2;

/**
 * Renders XSLT templates with Saxon-HE, spoken to in frames over standard input
 * and output (see doc.go beside this file). Stylesheets see the files that came
 * in frames, and nothing else: no other file, no network, no environment, no
 * extension functions, no result documents.
 *
 * Arguments: the time limit of one rendering in milliseconds, and the largest
 * output in bytes.
 */
public final class Renderer {
  private static final String SCHEME = "templates";
  private static final String BASE = SCHEME + ":/";
  private static final String NOTHING_ELSE = ", and nothing else can be read";

  private final Map<String, byte[]> files = new HashMap<>();
  private final Map<String, XsltExecutable> compiled = new HashMap<>();
  private final Processor processor = new Processor(false);
  private final Resolver resolver = new Resolver();
  private final int maxOutput;
  private final AtomicLong started = new AtomicLong();

  private Renderer(long timeLimit, int maxOutput) {
    this.maxOutput = maxOutput;
    Configuration c = processor.getUnderlyingConfiguration();
    c.setBooleanProperty(FeatureKeys.ALLOW_EXTERNAL_FUNCTIONS, false);
    c.setURIResolver(resolver);
    c.setUnparsedTextURIResolver((uri, encoding, config) -> reader(uri, encoding));
    c.setCollectionFinder((context, uri) -> {
      throw new XPathException("collection() is not allowed in a mail template");
    });
    c.setConfigurationProperty(FeatureKeys.ENVIRONMENT_VARIABLE_RESOLVER, new NoEnvironment());
    Thread watch = new Thread(() -> watch(timeLimit), "time limit");
    watch.setDaemon(true);
    watch.start();
  }

  public static void main(String[] args) throws IOException {
    DataInputStream in = new DataInputStream(new BufferedInputStream(System.in, 1 << 16));
    DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out, 1 << 16));
    System.setOut(System.err); // the frames alone go to standard output
    Renderer r = new Renderer(Long.parseLong(args[0]), Integer.parseInt(args[1]));
    r.warmUp();
    lockDown();
    answer(out, 'R', 0, new byte[0]);
    r.serve(in, out);
  }

  /** Loads the classes of a whole rendering, which the lock would keep on disk. */
  private void warmUp() throws IOException {
    String sheet = "<xsl:stylesheet version='2.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'>"
        + "<xsl:output method='html' indent='yes'/><xsl:template match='/'><html><head><title>x</title></head>"
        + "<body><xsl:analyze-string select='\"ab\"' regex='a'><xsl:matching-substring>&#233;</xsl:matching-substring>"
        + "</xsl:analyze-string><xsl:value-of select='tokenize(\"a b\", \"\\s\")'/></body></html></xsl:template></xsl:stylesheet>";
    files.put("warm-up.xsl", sheet.getBytes(StandardCharsets.UTF_8));
    try {
      render("warm-up.xsl", "<x/>".getBytes(StandardCharsets.UTF_8));
    } catch (Refused e) {
      throw new IOException(e.getMessage(), e);
    }
    files.clear();
    compiled.clear();
  }

  private void serve(DataInputStream in, DataOutputStream out) throws IOException {
    while (true) {
      int kind = in.read();
      if (kind < 0) {
        return;
      }
      int id = in.readInt();
      byte[] payload = new byte[in.readInt()];
      in.readFully(payload);
      int end = 0;
      while (end < payload.length && payload[end] != 0) {
        end++;
      }
      String path = new String(payload, 0, end, StandardCharsets.UTF_8);
      byte[] content = java.util.Arrays.copyOfRange(payload, Math.min(end + 1, payload.length), payload.length);
      if (kind == 'F') {
        files.put(path, content);
      } else if (kind == 'T') {
        transform(out, id, path, content);
      } else {
        throw new IOException("unknown frame " + kind);
      }
    }
  }

  private void transform(DataOutputStream out, int id, String path, byte[] document) throws IOException {
    started.set(System.nanoTime());
    try {
      byte[] result = render(path, document);
      answer(out, 'O', id, result);
    } catch (Refused e) {
      answer(out, 'E', id, e.getMessage().getBytes(StandardCharsets.UTF_8));
    } catch (StackOverflowError e) {
      answer(out, 'E', id, (path + ": calls itself without end").getBytes(StandardCharsets.UTF_8));
    } catch (RuntimeException e) {
      answer(out, 'E', id, (path + ": " + e).getBytes(StandardCharsets.UTF_8));
    } finally {
      started.set(0);
    }
  }

  private static void answer(DataOutputStream out, char kind, int id, byte[] payload) throws IOException {
    out.writeByte(kind);
    out.writeInt(id);
    out.writeInt(payload.length);
    out.write(payload);
    out.flush();
  }

  private byte[] render(String path, byte[] document) throws Refused {
    Problems problems = new Problems(path);
    try {
      XsltExecutable sheet = compiled.get(path);
      if (sheet == null) {
        sheet = compile(path, problems);
        compiled.put(path, sheet);
      }
      XsltTransformer t = sheet.load();
      t.setErrorListener(problems);
      t.setMessageListener(problems);
      t.setURIResolver(resolver);
      t.getUnderlyingController().setOutputURIResolver(new NoResultDocuments());
      t.setSource(source(new ByteArrayInputStream(document), BASE + "notification.xml", false));
      Limited out = new Limited(maxOutput);
      Serializer s = processor.newSerializer(out);
      s.setOutputProperty(Serializer.Property.ENCODING, "UTF-8");
      s.setOutputProperty(Serializer.Property.BYTE_ORDER_MARK, "no");
      if (path.contains("-text.")) {
        s.setOutputProperty(Serializer.Property.METHOD, "text");
      }
      t.setDestination(s);
      t.transform();
      if (problems.any()) { // what Saxon recovers from, such as a missing document, is a fault all the same
        throw problems.refusal();
      }
      return out.toByteArray();
    } catch (SaxonApiException e) {
      throw problems.refusal(e);
    } catch (TransformerException e) {
      throw problems.refusal(e);
    }
  }

  private XsltExecutable compile(String path, Problems problems) throws SaxonApiException, TransformerException {
    XsltCompiler c = processor.newXsltCompiler();
    c.setErrorListener(problems);
    c.setURIResolver(resolver);
    return c.compile(resolver.resolve("/" + path, BASE));
  }

  /** source parses with a reader that finds entities among the files alone. */
  private SAXSource source(InputStream bytes, String systemId, boolean entities) throws TransformerException {
    try {
      SAXParserFactory f = SAXParserFactory.newDefaultInstance();
      f.setNamespaceAware(true);
      f.setFeature("http://apache.org/xml/features/disallow-doctype-decl", !entities);
      XMLReader reader = f.newSAXParser().getXMLReader();
      reader.setEntityResolver(resolver);
      InputSource input = new InputSource(bytes);
      input.setSystemId(systemId);
      return new SAXSource(reader, input);
    } catch (Exception e) {
      throw new TransformerException(e);
    }
  }

  private Reader reader(URI uri, String encoding) throws XPathException {
    byte[] b = files.get(name(uri));
    if (b == null) {
      throw outside(uri.toString());
    }
    return new StringReader(new String(b, StandardCharsets.UTF_8));
  }

  /** name is the path of a file in the templates folder, or null. */
  private static String name(URI uri) {
    if (!SCHEME.equals(uri.getScheme()) || uri.getPath() == null || !uri.getPath().startsWith("/")) {
      return null;
    }
    return uri.normalize().getPath().substring(1);
  }

  private static XPathException outside(String what) {
    String shown = what.startsWith(BASE) ? what.substring(BASE.length()) : what;
    return new XPathException("there is no file " + shown + " in the templates folder" + NOTHING_ELSE);
  }

  /** Resolver answers document(), doc(), xsl:import, xsl:include and entities from the files. */
  private final class Resolver implements javax.xml.transform.URIResolver, EntityResolver2 {
    @Override
    public Source resolve(String href, String base) throws TransformerException {
      URI uri = absolute(href, base);
      byte[] b = uri == null ? null : files.get(name(uri));
      if (b == null) {
        throw outside(uri == null ? href : uri.toString());
      }
      return source(new ByteArrayInputStream(b), uri.normalize().toString(), true);
    }

    private URI absolute(String href, String base) {
      try {
        return URI.create(base == null || base.isEmpty() ? BASE : base).resolve(href.replace(" ", "%20"));
      } catch (IllegalArgumentException e) {
        return null;
      }
    }

    @Override
    public InputSource resolveEntity(String name, String publicId, String base, String systemId) throws SAXException {
      URI uri = absolute(systemId, base);
      byte[] b = uri == null ? null : files.get(name(uri));
      if (b == null) {
        throw new SAXException(outside(uri == null ? systemId : uri.toString()).getMessage());
      }
      InputSource in = new InputSource(new ByteArrayInputStream(b));
      in.setSystemId(uri.normalize().toString());
      in.setEncoding("UTF-8");
      return in;
    }

    @Override
    public InputSource resolveEntity(String publicId, String systemId) throws SAXException {
      return resolveEntity(null, publicId, BASE, systemId);
    }

    @Override
    public InputSource getExternalSubset(String name, String base) {
      return null;
    }
  }

  /** NoResultDocuments refuses xsl:result-document. */
  private static final class NoResultDocuments implements net.sf.saxon.lib.OutputURIResolver {
    @Override
    public net.sf.saxon.lib.OutputURIResolver newInstance() {
      return this;
    }

    @Override
    public javax.xml.transform.Result resolve(String href, String base) throws TransformerException {
      throw new XPathException("xsl:result-document is not allowed in a mail template");
    }

    @Override
    public void close(javax.xml.transform.Result result) {}
  }

  /** NoEnvironment has no variables. */
  private static final class NoEnvironment implements net.sf.saxon.lib.EnvironmentVariableResolver {
    @Override
    public java.util.Set<String> getAvailableEnvironmentVariables() {
      return java.util.Collections.emptySet();
    }

    @Override
    public String getEnvironmentVariable(String name) {
      return null;
    }
  }

  /** Problems keeps the first fault with its place, and what xsl:message says. */
  private static final class Problems implements ErrorListener, MessageListener {
    private final String path;
    private final StringBuilder faults = new StringBuilder();
    private String message = "";

    Problems(String path) {
      this.path = path;
    }

    @Override
    public void warning(TransformerException e) {
      if (text(e).contains(NOTHING_ELSE)) { // document() is otherwise empty without a word
        add(place(e.getLocator()), e);
      }
    }

    @Override
    public void error(TransformerException e) {
      add(place(e.getLocator()), e);
    }

    @Override
    public void fatalError(TransformerException e) {
      add(place(e.getLocator()), e);
    }

    @Override
    public void message(XdmNode content, boolean terminate, SourceLocator locator) {
      if (terminate) {
        message = place(locator) + ": xsl:message: " + content.getStringValue().trim();
      }
    }

    private void add(String place, Throwable e) {
      String line = place + ": " + text(e);
      if (faults.indexOf(line) < 0 && faults.length() < 4000) {
        faults.append(faults.length() == 0 ? "" : "\n").append(line);
      }
    }

    private String place(SourceLocator l) {
      if (l == null || l.getSystemId() == null) {
        return path;
      }
      String file = l.getSystemId().startsWith(BASE) ? l.getSystemId().substring(BASE.length()) : path;
      return l.getLineNumber() > 0 ? file + ":" + l.getLineNumber() : file;
    }

    private static String text(Throwable e) {
      Throwable cause = e;
      while (cause.getCause() != null && cause.getCause() != cause) {
        cause = cause.getCause();
      }
      String own = String.valueOf(e.getMessage());
      String deep = String.valueOf(cause.getMessage());
      return (own.contains(deep) || cause == e ? own : deep).replaceAll("\\s+", " ").trim();
    }

    boolean any() {
      return faults.length() > 0;
    }

    Refused refusal() {
      return new Refused(faults.toString(), null);
    }

    Refused refusal(SaxonApiException e) {
      if (!message.isEmpty()) {
        return new Refused(message, e);
      }
      if (faults.length() == 0) {
        String file = e.getSystemId() != null && e.getSystemId().startsWith(BASE) ? e.getSystemId().substring(BASE.length()) : path;
        add(e.getLineNumber() > 0 ? file + ":" + e.getLineNumber() : file, e);
      }
      return new Refused(faults.toString(), e);
    }

    Refused refusal(TransformerException e) {
      if (faults.length() == 0) {
        add(place(e.getLocator()), e);
      }
      return new Refused(faults.toString(), e);
    }
  }

  private static final class Refused extends Exception {
    Refused(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** Limited refuses to grow beyond a limit. */
  private static final class Limited extends OutputStream {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final int limit;

    Limited(int limit) {
      this.limit = limit;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] b, int off, int len) throws IOException {
      if (out.size() + len > limit) {
        throw new IOException("more than " + (limit >> 10) + " KiB of output");
      }
      out.write(b, off, len);
    }

    byte[] toByteArray() {
      return out.toByteArray();
    }
  }

  /** watch ends the process when a rendering goes on for too long. */
  private void watch(long limit) {
    while (true) {
      long since = started.get();
      if (since != 0 && TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - since) > limit) {
        System.err.println("a rendering took longer than " + limit + " ms");
        Runtime.getRuntime().halt(3);
      }
      try {
        Thread.sleep(100);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /**
   * lockDown forbids connections, programs and files to the whole process, where
   * the Java runtime still can (up to version 17): a second lock behind the
   * resolvers.
   */
  @SuppressWarnings({"removal", "deprecation"})
  private static void lockDown() {
    String home = System.getProperty("java.home");
    String classPath = System.getProperty("java.class.path");
    try {
      System.setSecurityManager(new SecurityManager() {
        @Override
        public void checkPermission(Permission p) {
          if (p instanceof java.net.SocketPermission) {
            throw new SecurityException("no network");
          }
          if (p instanceof java.io.FilePermission && !readable(p)) {
            throw new SecurityException("no file " + p.getName());
          }
          if (p instanceof RuntimePermission && p.getName().equals("setSecurityManager")) {
            throw new SecurityException(p.getName());
          }
        }

        private boolean readable(Permission p) {
          if (!p.getActions().equals("read")) {
            return false;
          }
          if (p.getName().startsWith(home)) {
            return true;
          }
          for (String entry : classPath.split(java.io.File.pathSeparator)) {
            if (!entry.isEmpty() && p.getName().startsWith(entry.replaceAll("[^/]*$", ""))) {
              return true;
            }
          }
          return false;
        }
      });
    } catch (UnsupportedOperationException e) {
      System.err.println("this Java runtime has no security manager; the resolvers alone hold stylesheets in");
    }
  }
}
