"""What the vendors sell: services, their units and list prices, and how resources of each are called."""

from __future__ import annotations

from dataclasses import dataclass

from apportion.demo.numbers import letters

PRICE_TABLE_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Sku:
    """One thing with a price, in ten-thousandths of the vendor's billing currency for one unit.

    `path` is the part of a resource's id that its kind prescribes; empty where nothing has an id.
    """

    service: str
    category: str
    subcategory: str
    meter: str
    unit: str
    price: int
    resource_type: str
    path: str

    @property
    def listed(self) -> int:
        """The list price in millionths."""
        return self.price * 100

    def after_discount(self, percent: int) -> int:
        """The negotiated price in millionths."""
        return self.price * (100 - percent)

    def columns(self) -> dict[str, str]:
        """The FOCUS columns that the SKU decides."""
        sku_id = letters(16, "sku", self.service, self.meter).upper()
        found = {
            "ServiceName": self.service,
            "ServiceCategory": self.category,
            "ServiceSubcategory": self.subcategory,
            "SkuId": sku_id,
            "SkuMeter": self.meter,
            "SkuPriceId": f"{sku_id}.{letters(10, 'price', sku_id).upper()}",
            "PricingUnit": self.unit,
            "ChargeDescription": f"{self.service}: {self.meter}",
        }
        if self.resource_type:
            found["ResourceType"] = self.resource_type
        return found


# FOCUS category / subcategory: the services in it.
_CATEGORIES = """
Compute / Virtual Machines: Amazon Elastic Compute Cloud, Virtual Machines, Compute Engine
Compute / Serverless Compute: AWS Lambda, Azure App Service, Cloud Run
Compute / End User Computing: Azure Virtual Desktop
Compute / Containers: Harbourline Kubernetes
Databases / Relational Databases: Amazon Relational Database Service, SQL Database
Databases / NoSQL Databases: Amazon DynamoDB
Databases / Caching: Amazon ElastiCache
Databases / Data Warehouses: BigQuery
Storage / Block Storage: Amazon Elastic Block Store, Managed Disks, Persistent Disk, Harbourline Volumes
Storage / Object Storage: Amazon Simple Storage Service, Blob Storage, Cloud Storage
Storage / Backup Storage: AWS Backup
Networking / Content Delivery: Amazon CloudFront
Networking / Network Security: AWS WAF
Networking / Network Connectivity: AWS Transit Gateway, AWS Direct Connect, Azure ExpressRoute
Integration / API Management: Amazon API Gateway
Integration / Messaging: Amazon Simple Queue Service, Cloud Pub/Sub
Analytics / Streaming Analytics: Amazon Kinesis
Analytics / Search: Amazon OpenSearch Service
Analytics / Data Processing: AWS Glue
Security / Threat Detection and Response: Amazon GuardDuty, Microsoft Defender for Cloud
Management and Governance / Observability: Amazon CloudWatch, Azure Monitor
Management and Governance / Compliance: AWS Config
Developer Tools / Continuous Integration and Deployment: AWS CodeBuild, Azure DevOps
Developer Tools / Source Code Management: Suitebench Code
AI and Machine Learning / Machine Learning: Vertex AI
AI and Machine Learning / Generative AI: Tokenhouse Models, Tokenhouse Embeddings
Identity / Identity and Access Management: Suitebench Identity
Business Applications / Productivity and Collaboration: Suitebench Office, Suitebench Boards
Business Applications / Other (Business Applications): Ledgerlink Connector, Suitebench Design, Suitebench Sales
Business Applications / Other (Business Applications): Suitebench People, Suitebench Desk
"""

# key | service | meter | unit | list price | resource type | path of a resource's id

_AWS = """
ec2        | Amazon Elastic Compute Cloud       | m6i.xlarge Linux          | Hours            |  0.2300 | EC2 instance | ec2:instance/i-0
ec2-small  | Amazon Elastic Compute Cloud       | t3.large Linux            | Hours            |  0.0960 | EC2 instance | ec2:instance/i-0
ebs        | Amazon Elastic Block Store         | gp3 storage               | GB-Months        |  0.0952 | Volume       | ec2:volume/vol-0
aurora     | Amazon Relational Database Service | db.r6g.large Aurora       | Hours            |  0.3130 | DB instance  | rds:db/
dynamodb   | Amazon DynamoDB                    | On-demand writes          | 1000000 Requests |  1.5250 | Table        | dynamodb:table/
redis      | Amazon ElastiCache                 | cache.r6g.large           | Hours            |  0.2470 | Cluster      | elasticache:cluster/
s3         | Amazon Simple Storage Service      | Standard storage          | GB-Months        |  0.0245 | Bucket       | s3:bucket/
cloudfront | Amazon CloudFront                  | Data transfer out, Europe | GB               |  0.0850 | Distribution | cloudfront:distribution/E
lambda     | AWS Lambda                         | Duration                  | 1000000 GB-Seconds | 16.6667 | Function   | lambda:function/
sqs        | Amazon Simple Queue Service        | Requests                  | 1000000 Requests |  0.4000 | Queue        | sqs:
kinesis    | Amazon Kinesis                     | Shard hours               | Hours            |  0.0179 | Stream       | kinesis:stream/
opensearch | Amazon OpenSearch Service          | r6g.large.search          | Hours            |  0.2000 | Domain       | es:domain/
logs       | Amazon CloudWatch                  | Log ingestion             | GB               |  0.6300 | Log group    | logs:log-group/
metrics    | Amazon CloudWatch                  | Custom metrics            | Metrics          |  0.3000 |              |
guardduty  | Amazon GuardDuty                   | Events analysed           | 1000000 Events   |  4.6000 | Detector     | guardduty:detector/
apigateway | Amazon API Gateway                 | HTTP API requests         | 1000000 Requests |  1.1100 | API          | apigateway:apis/
waf        | AWS WAF                            | Requests                  | 1000000 Requests |  0.6000 | Web ACL      | wafv2:webacl/
gateway    | AWS Transit Gateway                | Attachment hours          | Hours            |  0.0700 | Attachment   | ec2:tgw-attach-0
direct     | AWS Direct Connect                 | 1 Gbps port               | Hours            |  0.3000 | Connection   | directconnect:dxcon-
backup     | AWS Backup                         | Warm storage              | GB-Months        |  0.0500 | Vault        | backup:backup-vault/
codebuild  | AWS CodeBuild                      | Build minutes, large      | Minutes          |  0.0200 | Project      | codebuild:project/
glue       | AWS Glue                           | ETL job run               | DPU-Hours        |  0.4400 | Job          | glue:job/
config     | AWS Config                         | Items recorded            | 1000 Items       |  3.0000 |              |
"""  # noqa: E501 - a table reads better in whole lines

_AZURE = """
vm         | Virtual Machines             | D4s v5                   | Hours          |  0.2300 | Virtual machine | Microsoft.Compute/virtualMachines/
disk       | Managed Disks                | Premium SSD v2           | GB-Months      |  0.1320 | Disk            | Microsoft.Compute/disks/
sql        | SQL Database                 | vCore, general purpose   | Hours          |  0.2520 | SQL database    | Microsoft.Sql/servers/databases/
web        | Azure App Service            | P1 v3                    | Hours          |  0.1690 | Web app         | Microsoft.Web/sites/
blob       | Blob Storage                 | Hot LRS data stored      | GB-Months      |  0.0184 | Storage account | Microsoft.Storage/storageAccounts/
desktop    | Azure Virtual Desktop        | Session host, D8s v5     | Hours          |  0.4600 | Host pool       | Microsoft.DesktopVirtualization/hostPools/
defender   | Microsoft Defender for Cloud | Servers plan 2           | Hours          |  0.0200 | Plan            | Microsoft.Security/pricings/
monitor    | Azure Monitor                | Analytics logs           | GB             |  2.9900 | Workspace       | Microsoft.OperationalInsights/workspaces/
express    | Azure ExpressRoute           | 1 Gbps circuit           | Hours          |  0.5970 | Circuit         | Microsoft.Network/expressRouteCircuits/
devops     | Azure DevOps                 | Parallel job             | Hours          |  0.0550 |                 |
connector  | Ledgerlink Connector         | Documents                | 1000 Documents |  4.5000 | SaaS            | Microsoft.SaaS/resources/
"""  # noqa: E501

_GOOGLE = """
compute    | Compute Engine   | N2 standard core      | Hours                | 0.0418  | Instance | compute/instances
disk       | Persistent Disk  | Balanced PD capacity  | GiB-Months           | 0.1200  | Disk     | compute/disks
query      | BigQuery         | Analysis              | TiB                  | 6.2500  | Dataset  | bigquery/datasets
warehouse  | BigQuery         | Active storage        | GiB-Months           | 0.0200  | Dataset  | bigquery/datasets
storage    | Cloud Storage    | Standard storage      | GiB-Months           | 0.0230  | Bucket   | storage/buckets
run        | Cloud Run        | vCPU time             | 1000000 vCPU-Seconds | 24.0000 | Service  | run/services
pubsub     | Cloud Pub/Sub    | Message delivery      | TiB                  | 40.0000 | Topic    | pubsub/topics
vertex     | Vertex AI        | Training, A100        | Hours                | 3.6730  | Job      | aiplatform/jobs
predict    | Vertex AI        | Online prediction     | Hours                | 0.7500  | Endpoint | aiplatform/endpoints
"""

_HOSTING = """
cpu        | Harbourline Kubernetes | vCPU requested    | vCPU-Hours | 0.0310 | Node   | node
memory     | Harbourline Kubernetes | Memory requested  | GiB-Hours  | 0.0042 | Node   | node
volume     | Harbourline Volumes    | Replicated volume | GiB-Months | 0.0900 | Volume | volume
"""

_TOKENS = """
input      | Tokenhouse Models     | Large model, input tokens        | 1000000 Tokens |  2.5000 | API key |
output     | Tokenhouse Models     | Large model, output tokens       | 1000000 Tokens | 10.0000 | API key |
cached     | Tokenhouse Models     | Large model, cached input tokens | 1000000 Tokens |  0.2500 | API key |
embedding  | Tokenhouse Embeddings | Embedding tokens                 | 1000000 Tokens |  0.1000 | API key |
"""

_SEATS = """
office     | Suitebench Office   | Seat | Seats |  5.6000 | Plan |
identity   | Suitebench Identity | Seat | Seats |  2.1000 | Plan |
code       | Suitebench Code     | Seat | Seats | 17.5000 | Plan |
design     | Suitebench Design   | Seat | Seats | 35.0000 | Plan |
sales      | Suitebench Sales    | Seat | Seats | 75.0000 | Plan |
people     | Suitebench People   | Seat | Seats |  3.2000 | Plan |
desk       | Suitebench Desk     | Seat | Seats | 49.0000 | Plan |
boards     | Suitebench Boards   | Seat | Seats |  9.0000 | Plan |
"""


def _categories() -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for row in _CATEGORIES.strip().splitlines():
        category, _, services = row.partition(": ")
        group, _, subgroup = category.partition(" / ")
        found.update(dict.fromkeys(services.split(", "), (group, subgroup)))
    return found


def _skus(table: str) -> dict[str, Sku]:
    categories, found = _categories(), {}
    for row in table.strip().splitlines():
        key, service, meter, unit, price, resource_type, path = (cell.strip() for cell in row.split("|"))
        whole, _, decimals = price.partition(".")
        if len(decimals) != PRICE_TABLE_DECIMALS:
            raise ValueError(f"{key}: a price has {PRICE_TABLE_DECIMALS} decimals, not {price}")
        found[key] = Sku(service, *categories[service], meter, unit, int(whole + decimals), resource_type, path)
    return found


AWS = _skus(_AWS)
AZURE = _skus(_AZURE)
GOOGLE = _skus(_GOOGLE)
HOSTING = _skus(_HOSTING)
TOKENS = _skus(_TOKENS)
SEATS = _skus(_SEATS)
