import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;

import static java.nio.charset.StandardCharsets.UTF_8;

/** Resets a password as the vendor's clients do: forms out, XML back. Run by: reseed test -- java ResetTest.java */
public class ResetTest {
    static final String BASE = System.getenv("RESEED_URL");
    static final String SERVICE = BASE + "/ps/api/members/resetpassword.xml";
    static final HttpClient HTTP = HttpClient.newHttpClient();

    public static void main(String[] args) throws Exception {
        post(BASE + "/dev/seed", "application/json", "{\"members\":[{\"username\":\"ann\",\"email\":\"ann@example.org\"}]}");

        expect("request-successful", xml(form("email", "ann@example.org")).getAttribute("status"));
        String mails = send(HttpRequest.newBuilder(URI.create(BASE + "/dev/mail.json?to=ann@example.org&wait=5s"))).body();
        var token = Pattern.compile("\"token\":\\s*\"([^\"]+)\"").matcher(mails);
        expect(true, token.find());

        Element weak = xml(form("email", "ann@example.org", "token", token.group(1), "member-password", "12345678"));
        expect(0x1015, Integer.parseInt(weak.getAttribute("id"), 16));

        Element done = xml(form("email", "ann@example.org", "token", token.group(1), "member-password", "violet-Anchor-38"));
        expect("password-changed", done.getAttribute("status"));
        System.out.println("ok");
    }

    static String form(String... pairs) throws Exception {
        var body = new StringBuilder();
        for (int i = 0; i < pairs.length; i += 2) {
            body.append(i > 0 ? "&" : "").append(pairs[i]).append('=').append(URLEncoder.encode(pairs[i + 1], UTF_8));
        }
        return post(SERVICE, "application/x-www-form-urlencoded; charset=UTF-8", body.toString()).body();
    }

    static HttpResponse<String> post(String url, String type, String body) throws Exception {
        return send(HttpRequest.newBuilder(URI.create(url)).header("Content-Type", type).POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    static HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
        return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    static Element xml(String body) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new ByteArrayInputStream(body.getBytes(UTF_8))).getDocumentElement();
    }

    static void expect(Object want, Object got) {
        if (!want.equals(got)) throw new AssertionError("expected " + want + ", got " + got);
    }
}
